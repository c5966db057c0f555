package limit

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestKeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := NewKeyed(time.Second, 3)
		allowed := func(key string, tries int) (n int) {
			for range tries {
				if k.Allow(key) {
					n++
				}
			}
			return n
		}
		if n := allowed("a", 10); n != 3 {
			t.Errorf("%d at once, want 3", n)
		}
		if n := allowed("b", 2); n != 2 {
			t.Errorf("another key has %d, want 2", n)
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // the time of the bubble: nobody waits
		if n := allowed("a", 10); n != 2 {
			t.Errorf("%d after two intervals, want 2", n)
		}
		time.Sleep(time.Hour) //nolint:forbidigo // likewise
		if n := allowed("a", 10); n != 3 {
			t.Errorf("%d after a long time, want 3", n)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for every, want := range map[time.Duration]int{
		time.Millisecond: 1, time.Second: 1, 1001 * time.Millisecond: 2, 5 * time.Second: 5,
	} {
		if got := NewKeyed(every, 1).RetryAfter(); got != want {
			t.Errorf("%s: %d, want %d", every, got, want)
		}
	}
}

// TestMemoryIsBounded: keys nobody uses go first, then all.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := NewKeyed(time.Minute, 1)
		for i := range maxKeys {
			k.Allow("idle" + strconv.Itoa(i))
		}
		time.Sleep(time.Minute) //nolint:forbidigo // the time of the bubble: nobody waits
		k.Allow("idle0")
		k.Allow("busy")
		if len(k.buckets) != 2 || k.Allow("idle0") {
			t.Errorf("%d keys are left, or a busy one was forgotten", len(k.buckets))
		}
		for i := range 3 * maxKeys {
			k.Allow("flood" + strconv.Itoa(i))
			if len(k.buckets) > maxKeys {
				t.Fatalf("%d keys", len(k.buckets))
			}
		}
	})
}
