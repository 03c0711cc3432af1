package compile

import "slices"

// cycles looks for a service that depends on itself, and for pipes that end
// where they began. s6-rc-compile looks from its last service backwards.
func (c *checker) cycles() {
	all := append(c.longruns(), c.oneshots()...)
	index := map[string]int{}
	for i, d := range all {
		index[d.name] = i
	}
	depends := make([][]int, len(all))
	for i, d := range all {
		for _, name := range d.deps {
			for _, atom := range c.atoms(name) {
				depends[i] = append(depends[i], index[atom])
			}
		}
		slices.Sort(depends[i])
		depends[i] = slices.Compact(depends[i])
	}
	const begun, done = 1, 2
	mark := make([]int, len(all))
	var visit func(i int) int
	visit = func(i int) int {
		switch mark[i] {
		case done:
			return -1
		case begun:
			return i
		}
		mark[i] = begun
		for _, j := range slices.Backward(depends[i]) {
			if at := visit(j); at >= 0 {
				return at
			}
		}
		mark[i] = done
		return -1
	}
	for i := range slices.Backward(all) {
		if at := visit(i); at >= 0 {
			c.fail(all[i].dir(), "cyclic service dependency reached from %s and involving %s", all[i].name, all[at].name)
			return
		}
	}
}

// atoms returns the oneshots and longruns that a name stands for.
func (c *checker) atoms(name string) []string {
	d := c.defs[name]
	if d.kind != "bundle" {
		return []string{name}
	}
	var atoms []string
	for _, m := range d.members {
		atoms = append(atoms, c.atoms(m)...)
	}
	return atoms
}
