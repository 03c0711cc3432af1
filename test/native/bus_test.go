package native

import "encoding/binary"

// busBytes is what a program sends to own a name on the message bus: who it is,
// and two calls of the D-Bus specification.
func busBytes(name string) []byte {
	b := []byte("\x00AUTH EXTERNAL 30\r\nBEGIN\r\n")
	b = append(b, busCall(1, "Hello", "", nil)...)
	var body []byte
	body = busString(body, name)
	body = binary.LittleEndian.AppendUint32(busPad(body, 4), 0)
	return append(b, busCall(2, "RequestName", "su", body)...)
}

func busCall(serial uint32, member, signature string, body []byte) []byte {
	const bus = "org.freedesktop.DBus"
	var fields []byte
	for _, f := range []struct {
		code       byte
		kind, text string
	}{{1, "o", "/org/freedesktop/DBus"}, {2, "s", bus}, {3, "s", member}, {6, "s", bus}, {8, "g", signature}} {
		if f.text == "" {
			continue
		}
		fields = append(busPad(fields, 8), f.code, 1, f.kind[0], 0)
		if f.kind == "g" {
			fields = append(append(append(fields, byte(len(f.text))), f.text...), 0)
		} else {
			fields = busString(fields, f.text)
		}
	}
	m := []byte{'l', 1, 0, 1}
	m = binary.LittleEndian.AppendUint32(m, uint32(len(body)))
	m = binary.LittleEndian.AppendUint32(m, serial)
	m = binary.LittleEndian.AppendUint32(m, uint32(len(fields)))
	return append(busPad(append(m, fields...), 8), body...)
}

func busString(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint32(busPad(b, 4), uint32(len(s)))
	return append(append(b, s...), 0)
}

func busPad(b []byte, n int) []byte {
	for len(b)%n != 0 {
		b = append(b, 0)
	}
	return b
}
