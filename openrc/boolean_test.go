package openrc

import "testing"

func TestIsYes(t *testing.T) {
	for want, texts := range map[bool][]string{
		true:  {"yes", "true", "on", "1", "YES", "Yes", "tRUE", "On"},
		false: {"", "no", "false", "off", "0", "NO", "y", "Y", "t", "n", "f", "2", "01", " yes", "yes ", "enabled"},
	} {
		for _, text := range texts {
			if IsYes(text) != want {
				t.Errorf("IsYes(%q) = %v; want %v", text, !want, want)
			}
		}
	}
}
