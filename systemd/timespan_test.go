package systemd

import "testing"

func TestMilliseconds(t *testing.T) {
	for text, want := range map[string]int{
		"90": 90_000, "5min 20s": 320_000, "1h30m": 5_400_000, "250ms": 250, "1.5": 1500, "0": 0, "infinity": 0, "2 min": 120_000, "1us": 1,
		"": -1, "x": -1, "5 fortnights": -1, "1m 2": 62_000, "-1": -1, "999999999999": -1,
	} {
		got, ok := Milliseconds(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("Milliseconds(%q) = %d; want %d", text, got, want)
		}
	}
}
