package wire

import (
	"strconv"
	"time"
)

// Age returns how old a command is, by the clock of who sent it: 0 if it does
// not say, less than 0 if that clock is ahead of ours.
func (m *Message) Age(now time.Time) time.Duration {
	if len(m.Timestamp) == 0 {
		return 0
	}
	sent, _ := strconv.ParseFloat(string(m.Timestamp), 64) // too large a number is infinite
	const century = 100 * 365 * 24 * 3600 * 1000           // a Duration holds two
	age := min(max(float64(now.UnixMilli())-sent, -century), century)
	return time.Duration(age) * time.Millisecond
}

// checkCommand bounds what a command carries.
func (m *Message) checkCommand() string {
	if m.Command != "" && !validName(m.Command) {
		return "command is malformed"
	}
	switch {
	case m.Type != TypeCommand:
		return ""
	case m.Data != nil && !m.Data.isObject():
		return "data is not an object"
	case len(m.Data) > MaxData:
		return "data is too long"
	case m.Data.depth() > MaxDepth:
		return "data is nested too deep"
	case m.Timestamp != nil && (m.Timestamp.isString() || !m.Timestamp.isTime()):
		return "timestamp is not a number of milliseconds"
	default:
		return ""
	}
}
