package generators

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"regexp"

	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// sumLine is the second line of a file that stays in /etc, before the checksum of
// all other lines: by it a file that nobody edited can be told.
const sumLine = "# Checksum of the other lines: "

// seal adds that line.
func seal(text []byte) []byte {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	return fmt.Appendf(nil, "%s\n%s%s\n%s", first, sumLine, sum(first, rest), rest)
}

func sum(first, rest []byte) string {
	h := sha256.New()
	h.Write(first)
	h.Write(rest)
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// ByHand reports whether the command line named the domain of what rdgen made, and
// no conf.d file.
func ByHand(text []byte) bool {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	return bytes.Contains(first, []byte("from the command line;")) || bytes.Contains(first, []byte(" and the command line;"))
}

// Intact reports whether text is as rdgen made it, of this version or of one that
// had no checksum and knew no lines of the unit's own.
func Intact(text []byte) bool {
	if !systemd.IsMade(text) {
		return false
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if second, rest, ok := bytes.Cut(rest, []byte("\n")); ok && bytes.HasPrefix(second, []byte(sumLine)) {
		return string(second) == sumLine+sum(first, rest)
	}
	m := earlier.FindSubmatch(text)
	if m == nil {
		return false
	}
	id, again, path := string(m[1]), string(m[2]), string(m[3])
	parsed, err := domain.ParseID(id)
	netns := id
	if d, nested := parsed.Both(); nested {
		netns = d.Netns.String()
	}
	return err == nil && id == again && (path == "" || path == netns)
}

// earlier is what the drop-ins of earlier versions were, all of it.
var earlier = regexp.MustCompile(`^# Made by rdgen from [^\n]*
\[Unit\]
(?:SourcePath=[^\n]*
)?BindsTo=rdomain@([^\n]*)\.service
After=rdomain@([^\n]*)\.service
(?:AssertPathIsMountPoint=/run/netns/[^\n]*
)?(?:AssertPathExists=/sys/[^\n]*
)*
\[(?:Service|Socket)\]
(?:NetworkNamespacePath=/run/netns/([^\n]*)
)?(?:BPFProgram=sock_create:[^\n]*
)?(?:BindNetworkInterface=[^\n]*
)?# Where systemd cannot follow the above, it warns and goes on: so look from inside
# before the [^\n]*
(?:ExecCondition=\+/bin/sh -c [^\n]*/usr/sbin/rdomain check [^\n]* \|\| exit 255["']
|ExecStartPre=\+/usr/sbin/(?:rdomain check|rdexec --look) [^\n]*
)(?:# The domain's own resolver files, and no way to the resolvers of the host[^\n]*
(?:# they listen there is an empty directory, which no restart of theirs takes away\.
)?(?:TemporaryFileSystem=/run/[^\n]*
)?(?:BindReadOnlyPaths=-/etc/netns/[^\n]*
)+(?:InaccessiblePaths=-/run/nscd -/run/systemd/resolve/io\.systemd\.Resolve
)?)?$`)
