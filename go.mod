module rdgen

go 1.26
