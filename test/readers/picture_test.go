package readers

import (
	"bytes"
	"flag"
	"image"
	"image/png"
	"os"
	"regexp"
	"strings"
	"testing"

	"rdgen/test/sandbox"
)

var update = flag.Bool("update", false, "draw docs/domains.png again")

// machine of test/vm, TestVRFStatus: what rdgen status --json said there.
const drawn = "testdata/machine.json"

// TestPNG: docs/domains.png is the picture of a real machine, as rsvg-convert draws it.
func TestPNG(t *testing.T) {
	rdgen := start(t)
	const file = "../../docs/domains.png"
	svg := reads(t, "", rdgen, "graph", "--from", drawn)
	const temp = "/run/domains.png"
	sandbox.Sh(t, `mkdir -p /etc/fonts; cat >/etc/fonts/fonts.conf <<'C'
<fontconfig>
<dir>/usr/share/fonts</dir>
<cachedir>/run/fonts</cachedir>
<alias binding="same"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
C`)
	reads(t, svg, "rsvg-convert", "--background-color", "white", "--zoom", "1.25", "-o", temp)
	got, err := os.ReadFile(temp)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	b, err := png.Decode(bytes.NewReader(old))
	if err != nil {
		t.Fatal(err)
	}
	// Letters have other edges where the machine has another font.
	if n, all := differ(a, b), a.Bounds().Dx()*a.Bounds().Dy(); a.Bounds() != b.Bounds() || n*20 > all {
		t.Errorf("docs/domains.png, of %v, is not the picture, of %v: %d of %d points differ (with -update it is drawn again)", b.Bounds(), a.Bounds(), n, all)
	}
	// Something is drawn in each of the colours: boxes, links, what is wrong.
	seen := map[image.Point]bool{}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if r, g, b, _ := a.At(x, y).RGBA(); r>>12 == 0xc && g>>12 == 0 && b>>12 == 0 {
				seen[image.Pt(x, y)] = true
			}
		}
	}
	if len(seen) < 100 {
		t.Errorf("%d points are red; want what is wrong to be seen", len(seen))
	}
}

// differ counts the points that are not alike.
func differ(a, b image.Image) (n int) {
	both := a.Bounds().Intersect(b.Bounds())
	for y := both.Min.Y; y < both.Max.Y; y++ {
		for x := both.Min.X; x < both.Max.X; x++ {
			r, _, _, _ := a.At(x, y).RGBA()
			s, _, _, _ := b.At(x, y).RGBA()
			if max(r, s)-min(r, s) > 0x6000 {
				n++
			}
		}
	}
	return n
}

// TestDOT: dot draws it, with each box and each link once, and what is wrong in red; names that
// would end a text are texts.
func TestDOT(t *testing.T) {
	rdgen := start(t)
	for _, from := range []string{drawn, "testdata/odd.json"} {
		dot := reads(t, "", rdgen, "graph", "--from", from, "--format", "dot")
		svg := reads(t, dot, "dot", "-Tsvg")
		boxes, links := strings.Count(dot, "\tbox")-strings.Count(dot, " -- "), strings.Count(dot, " -- ")
		if n := strings.Count(svg, `class="node"`); n != boxes+1 || boxes < 2 {
			t.Errorf("%s: dot draws %d nodes; want %d boxes and the outside", from, n, boxes)
		}
		if n := strings.Count(svg, `class="edge"`); n != links {
			t.Errorf("%s: dot draws %d links; want %d", from, n, links)
		}
		if !strings.Contains(svg, `stroke="red"`) {
			t.Errorf("%s: nothing is red", from)
		}
	}
}

// TestMermaid: each line is one that Mermaid's grammar of a flowchart has, with texts in which
// no character can end them. The parser of Mermaid 11.16 itself took both pictures once, in V8
// with neither a browser nor a network, and refused two that were spoilt. bookworm has no package
// of it.
func TestMermaid(t *testing.T) {
	rdgen := start(t)
	line := regexp.MustCompile(`^    (outside\(\["[^"]*"\]\)|box[0-9]+\["([^"&<>]|&[a-z]+;|#[0-9]+;|</?b>|<br/>)*"\]|box[0-9]+ ---\|"([^"<>])*"\| (outside|box[0-9]+)|style box[0-9]+ stroke:red,color:red|linkStyle [0-9]+ stroke:red,color:red)$`)
	for _, from := range []string{drawn, "testdata/odd.json"} {
		text := reads(t, "", rdgen, "graph", "--from", from, "--format", "mermaid")
		head, rest, _ := strings.Cut(text, "\n")
		if head != "flowchart LR" {
			t.Errorf("%s begins with %q", from, head)
		}
		for l := range strings.Lines(rest) {
			if l = strings.TrimSuffix(l, "\n"); !line.MatchString(l) {
				t.Errorf("%s: %q is no line of a flowchart", from, l)
			}
		}
	}
}
