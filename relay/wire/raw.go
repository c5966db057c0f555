package wire

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
	"time"
)

// Raw is a JSON value as its sender wrote it, without the blanks: nothing in it
// is looked at on the way. Empty stands for none, and so does null.
type Raw []byte

// MarshalJSON returns the value.
func (r Raw) MarshalJSON() ([]byte, error) { return r, nil }

// UnmarshalJSON keeps a copy of the value.
func (r *Raw) UnmarshalJSON(data []byte) error {
	*r = nil
	if string(data) == "null" {
		return nil
	}
	compact := bytes.NewBuffer(make([]byte, 0, len(data)))
	if err := json.Compact(compact, data); err != nil {
		return err
	}
	*r = compact.Bytes()
	return nil
}

// Millis writes a time as commands carry it: a number of milliseconds.
func Millis(t time.Time) Raw { return strconv.AppendInt(nil, t.UnixMilli(), 10) }

// Stamp writes a time as events carry it: a string (RFC 3339, UTC).
func Stamp(t time.Time) Raw { return t.UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`) }

func (r Raw) isObject() bool { return startsWith(r, '{') }

func (r Raw) isString() bool { return startsWith(r, '"') }

func (r Raw) isNumber() bool {
	return startsWith(r, '-') || len(r) > 0 && r[0] >= '0' && r[0] <= '9'
}

// isTime reports whether the value may say when an event was, in any of the
// ways of the robots in the field.
func (r Raw) isTime() bool { return (r.isString() || r.isNumber()) && len(r) <= MaxTimestamp }

// structure yields the position of every bracket, comma and colon that is not
// in a string, and how deep in objects and lists it stands.
func (r Raw) structure() iter.Seq2[int, int] {
	return func(yield func(at, depth int) bool) {
		depth, quoted := 0, false
		for i := 0; i < len(r); i++ {
			inside := depth
			switch c := r[i]; {
			case c == '\\': // only in strings
				i++
				continue
			case c == '"':
				quoted = !quoted
				continue
			case quoted:
				continue
			case c == '{' || c == '[':
				depth++
				inside = depth
			case c == '}' || c == ']':
				depth--
			case c != ',' && c != ':':
				continue
			}
			if !yield(i, inside) {
				return
			}
		}
	}
}

// depth returns how many objects and lists are nested in one another.
func (r Raw) depth() int {
	deepest := 0
	for _, depth := range r.structure() {
		deepest = max(deepest, depth)
	}
	return deepest
}

// members yields the members of an object, name and colon included, and the
// length of the name.
func (r Raw) members() iter.Seq2[Raw, int] {
	return func(yield func(member Raw, name int) bool) {
		start, colon := 1, 0
		for at, depth := range r.structure() {
			switch c := r[at]; {
			case depth != 1 || at == 0:
			case c == ':':
				colon = at
			case at > start && !yield(r[start:at], colon-start):
				return
			default:
				start = at + 1
			}
		}
	}
}
