package openrc

import "strings"

// IsYes reads a boolean as OpenRC's yesno does (sh/functions.sh.in): yes, true, on
// and 1, in any case of letters, are yes. It takes all else for no, and says so where
// it is not one of no, false, off and 0.
func IsYes(text string) bool {
	switch strings.ToLower(text) {
	case "yes", "true", "on", "1":
		return true
	}
	return false
}
