// Package templates holds the text of every generated file, and the functions
// that quote a value for the place where it stands.
//
// A template is one file, embedded; its name is the init system and the file
// that it becomes. Values are never pasted: each goes through the quoting
// function of the language around it, and one that cannot be expressed there
// is an error, so no file is generated. This is the only package that imports
// text/template and sprig.
package templates
