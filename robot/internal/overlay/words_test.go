package overlay

import (
	"testing"
	"time"
)

func TestAgo(t *testing.T) {
	for since, want := range map[time.Duration]string{
		0: "0 s ago", 999 * time.Millisecond: "0 s ago", 12900 * time.Millisecond: "12 s ago",
		59 * time.Second: "59 s ago", time.Minute: "1 min ago", 59*time.Minute + 59*time.Second: "59 min ago",
		time.Hour: "1 h ago", 47*time.Hour + 59*time.Minute: "47 h ago", 48 * time.Hour: "2 days ago",
		1 << 62: "53375 days ago",
	} {
		if got := string(appendAgo(nil, since)); got != want {
			t.Errorf("%v: %q", since, got)
		}
	}
}

func TestEveryClassHasItsColour(t *testing.T) {
	if colourOf("dog") == colourOf("person") {
		t.Error("dogs look like people")
	}
}
