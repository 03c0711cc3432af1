package domain

// ResolverDirs are where programs of the host listen that look up names for others,
// outside of any domain: nscd, systemd-resolved and avahi. Who is in a namespace finds
// them empty. Only a directory is safe to hide: what is mounted over a socket is gone
// when its service makes it again.
var ResolverDirs = [...]string{"/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon"}
