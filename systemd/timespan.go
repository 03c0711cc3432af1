package systemd

import (
	"math"
	"strconv"
	"strings"
)

// spans are the units of systemd.time(7), in milliseconds.
var spans = map[string]float64{
	"us": 1e-3, "usec": 1e-3, "µs": 1e-3, "ms": 1, "msec": 1,
	"": 1e3, "s": 1e3, "sec": 1e3, "second": 1e3, "seconds": 1e3,
	"m": 60e3, "min": 60e3, "minute": 60e3, "minutes": 60e3,
	"h": 3600e3, "hr": 3600e3, "hour": 3600e3, "hours": 3600e3,
	"d": 86400e3, "day": 86400e3, "days": 86400e3, "w": 7 * 86400e3, "week": 7 * 86400e3, "weeks": 7 * 86400e3,
}

// Milliseconds reads a time span such as "5min 20s" (systemd.time(7)); a number
// alone is seconds. 0, and "infinity", are no limit, which is 0.
func Milliseconds(text string) (ms int, ok bool) {
	rest := strings.TrimSpace(text)
	if rest == "infinity" {
		return 0, true
	}
	total := 0.0
	for rest != "" {
		n := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if n < 0 {
			n = len(rest)
		}
		number, err := strconv.ParseFloat(rest[:n], 64)
		rest = strings.TrimLeft(rest[n:], " \t")
		n = strings.IndexAny(rest, "0123456789. \t")
		if n < 0 {
			n = len(rest)
		}
		unit, known := spans[rest[:n]]
		if err != nil || !known {
			return 0, false
		}
		total += number * unit
		rest = strings.TrimLeft(rest[n:], " \t")
	}
	if text == "" || total > math.MaxInt32 {
		return 0, false
	}
	return int(math.Ceil(total)), true
}
