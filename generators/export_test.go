package generators

// The programs of rdgen that generated files name, for tests that put others in
// their place.
var (
	Rdexec  = rdexec
	Rdomain = rdomain
)

// IsLookFailure is for the words that it lets pass.
var IsLookFailure = isLookFailure
