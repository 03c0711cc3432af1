// This file lets the functions of start.go be declared without a body.
