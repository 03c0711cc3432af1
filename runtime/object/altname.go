package object

import "rdgen/runtime/domain"

// AltName is a name that a link has besides its own. It stays with the link when that is
// moved.
type AltName struct {
	Netns domain.NetnsName `json:"netns,omitzero"`
	Dev   string           `json:"dev"`
	Name  string           `json:"name"`
}

// Key is the link and the name.
func (a AltName) Key() Key { return Key{"altname", a.Netns, a.Dev + " " + a.Name} }

// On is the link.
func (a AltName) On() string { return a.Dev }

func (a AltName) command(v Verb) []string {
	verb := "add"
	if v == Delete {
		verb = "del" // ip-link(8) knows no "delete" here
	}
	return in(a.Netns, "link", "property", verb, "dev", a.Dev, "altname", a.Name)
}
