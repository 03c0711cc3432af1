package record

import (
	"io/fs"

	"time"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/flock"
)

// Lock is the right to change one domain and its record. The kernel takes it
// back when the process ends, however it ends.
type Lock struct {
	s    *Store
	name string
	fd   int
}

// Lock waits until nobody else changes the domain, five minutes at most. The lock's file may be
// removed by the one before, so after waiting it is made sure that the file is
// still the one in the directory.
func (s *Store) Lock(id domain.ID) (*Lock, error) {
	return s.lock(id.String()+".lock", unix.LOCK_EX)
}

// Share waits until nobody changes the domain, and keeps others from changing
// it, but not from sharing it. The lock is to be given back by Unlock, not by
// Remove.
func (s *Store) Share(id domain.ID) (*Lock, error) {
	return s.lock(id.String()+".lock", unix.LOCK_SH)
}

func (s *Store) lock(name string, how int) (*Lock, error) {
	say := func(holder string) {
		if s.Waiting != nil {
			s.Waiting(Dir+"/"+name, holder)
		}
	}
	for {
		fd, err := unix.Openat(int(s.dir.Fd()), name, unix.O_RDONLY|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
		if err == nil {
			if err = flock.Wait(fd, how, lockLimit, say); err != nil {
				unix.Close(fd)
			}
		}
		if err != nil {
			return nil, &fs.PathError{Op: "lock", Path: Dir + "/" + name, Err: err}
		}
		var ours, there unix.Stat_t
		if unix.Fstat(fd, &ours) == nil && unix.Fstatat(int(s.dir.Fd()), name, &there, unix.AT_SYMLINK_NOFOLLOW) == nil &&
			ours.Ino == there.Ino && ours.Dev == there.Dev {
			return &Lock{s, name, fd}, nil
		}
		unix.Close(fd)
	}
}

// lockLimit is how long is waited for another rdomain. It may itself be waiting, for
// as long as TimeoutSec= says in its domain's file.
const lockLimit = 5 * time.Minute

// Unlock lets the next one in and keeps the file.
func (l *Lock) Unlock() { unix.Close(l.fd) }

// Remove removes the lock's file and lets the next one in, who will find that
// the file is gone and make another.
func (l *Lock) Remove() {
	_ = l.s.root.Remove(l.name)
	unix.Close(l.fd)
}
