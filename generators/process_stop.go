package generators

import (
	"slices"
	"strconv"
	"strings"

	"rdgen/s6"
)

// signals reads how the service is stopped: by stopsig and retry, or by a stop() of the
// script's own, as far as that is one start-stop-daemon.
func (r *scriptReader) signals() {
	own := r.whole.OwnStop()
	if own == nil {
		signal, retry := r.text("stopsig"), r.text("retry")
		if r.daemon.Supervised && (retry != "" || numeric(signal)) {
			signal = "" // supervise-daemon.sh makes a step of retry of it
		}
		sent, timed := r.stop(signal, retry)
		if sent {
			r.carried = append(r.carried, "stopsig")
		}
		if sent && r.daemon.Supervised {
			r.p.Notes = append(r.p.Notes, "stopsig=: s6 sends "+signal+", as OpenRC does from 0.64 on; before, supervise-daemon sends SIGTERM")
		}
		if timed {
			r.carried = append(r.carried, "retry")
		}
		return
	}
	r.carried = append(r.carried, "stopsig", "retry", "stopgroup") // which it does not ask
	switch {
	case own.Options == nil:
		r.lost = append(r.lost, "stop()")
	case own.More:
		r.lost = append(r.lost, "stop() but its start-stop-daemon")
	}
	values := map[string]string{}
	for _, o := range own.Options {
		values[o.Name] = o.Value
	}
	sent, timed := r.stop(values["signal"], values["retry"])
	if values["signal"] != "" && !sent {
		r.lost = append(r.lost, "--signal")
	}
	if values["retry"] != "" && !timed {
		r.lost = append(r.lost, "--retry")
	}
	if _, ok := values["stop-group"]; ok {
		r.lost = append(r.lost, "--stop-group")
	}
}

// stop carries over a signal, and what retry says: the first of its steps, and what is
// after its time, SIGKILL where a step says so, and else OpenRC gives up. It reports
// which of the two it could.
func (r *scriptReader) stop(signal, retry string) (sent, timed bool) {
	if sent = s6.ValidSignal(signal); !sent {
		signal = ""
	}
	steps := strings.Split(retry, "/") // SECONDS, or SIGNAL/SECONDS, then perhaps KILL[/SECONDS]
	kills := len(steps) == 3 || len(steps) == 4
	if kills {
		last, ok := stepSignal(steps[2])
		kills = ok && slices.Contains([]string{"KILL", "SIGKILL", "9"}, last)
	}
	first, ok := stepSignal(steps[0])
	if ok && (len(steps) == 2 || kills) {
		retry = steps[1]
	}
	if seconds, err := strconv.ParseUint(retry, 10, 20); err == nil && seconds > 0 {
		if ok {
			signal = first
		}
		limit := &r.p.TimeoutDown
		if kills {
			limit = &r.p.TimeoutKill
		}
		*limit, timed = int(seconds)*1000, true
	}
	if name := strings.TrimPrefix(strings.ToUpper(signal), "SIG"); signal != "" && name != "TERM" && name != "15" {
		r.p.DownSignal = signal
	}
	return sent, timed
}

// stepSignal returns the signal that a step of retry is (schedules.c): a number is one
// only after "-", and else a time.
func stepSignal(step string) (signal string, ok bool) {
	signal = strings.TrimPrefix(step, "-")
	return signal, s6.ValidSignal(signal) && (signal != step || !numeric(signal))
}
