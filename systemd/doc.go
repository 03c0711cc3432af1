// Package systemd knows how systemd lays out, names and reads units, as far as
// rdgen needs it: which file a unit comes from, what its drop-ins change, and
// which sockets start a service. It holds the unit that is shipped as it is,
// rdomain@.service. It reads through an fs.FS and asks no running systemd.
package systemd
