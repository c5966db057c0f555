package limit

import (
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// allowed returns how many of some tries of a key succeed.
func allowed(k *Keyed, key string, tries int) (n int) {
	for range tries {
		if k.Allow(key) {
			n++
		}
	}
	return n
}

func TestKeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := NewKeyed(Rate{3, time.Second})
		if n := allowed(k, "a", 10); n != 3 {
			t.Errorf("%d at once, want 3", n)
		}
		if n := allowed(k, "b", 2); n != 2 {
			t.Errorf("another key has %d, want 2", n)
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // the time of the bubble: nobody waits
		if n := allowed(k, "a", 10); n != 2 {
			t.Errorf("%d after two intervals, want 2", n)
		}
		time.Sleep(time.Hour) //nolint:forbidigo // likewise
		if n := allowed(k, "a", 10); n != 3 {
			t.Errorf("%d after a long time, want 3", n)
		}
	})
}

func TestNoLimit(t *testing.T) {
	k := NewKeyed(Rate{})
	if n := allowed(k, "a", 100_000); n != 100_000 || len(k.buckets.young) > 0 {
		t.Errorf("%d are allowed, %d keys are kept", n, len(k.buckets.young))
	}
	if !(Rate{}).Limiter().AllowN(time.Now(), 100_000) {
		t.Error("the zero rate is a limit")
	}
}

// TestMemoryIsBounded: a flood of keys is forgotten, one that is in use is not.
func TestMemoryIsBounded(t *testing.T) {
	k := NewKeyed(Rate{5, time.Hour})
	busy := 0
	for i := range 10 * maxRecent {
		k.Allow("flood" + strconv.Itoa(i))
		if i%(maxRecent/2) == 0 {
			busy += allowed(k, "busy", 1)
		}
		if n := len(k.buckets.young) + len(k.buckets.old); n > 2*maxRecent {
			t.Fatalf("%d keys", n)
		}
	}
	if busy != 5 {
		t.Errorf("a busy key was allowed %d times, want 5", busy)
	}
	if n := allowed(k, "flood0", 10); n != 5 {
		t.Errorf("a forgotten key has %d, want its burst", n)
	}
}

func TestRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"300+100/s": {300, 10 * time.Millisecond}, "20+12/m": {20, 5 * time.Second}, "1+1/h": {1, time.Hour},
		"1+1/s": {1, time.Second}, "999999999+100000/s": {999999999, 10 * time.Microsecond}, "1+7/s": {1, 142857142}, "1+1000000/s": {1, time.Microsecond}, "1+1000001/s": {},
		"": {}, "none": {}, "0+1/s": {}, "1+0/s": {}, "-1+1/s": {}, "1/s": {}, "1+1": {}, "1+1/d": {}, "1+1/s\n": {}, "1+1.5/s": {},
		"1000000000+1/s": {}, "٣+1/s": {},
	} {
		var got Rate
		err := got.UnmarshalText([]byte(text))
		if got != want || (err == nil) != (want != Rate{}) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for text, rate := range map[string]Rate{
		"300+100/s": {300, 10 * time.Millisecond}, "20+12/m": {20, 5 * time.Second}, "60+1/s": {60, time.Second},
		"1+7/s": {1, 142857142}, "2+1/7s": {2, 7 * time.Second}, "none": {},
	} {
		if rate.String() != text {
			t.Errorf("%v, want %s", rate, text)
		}
	}
	both := (Rate{300, 10 * time.Millisecond}).Plus(Rate{200, 10 * time.Millisecond})
	if both != (Rate{500, 5 * time.Millisecond}) || both.Plus(Rate{}) != (Rate{}) || (Rate{}).Plus(both) != (Rate{}) {
		t.Errorf("both are %v, with no limit %v", both, both.Plus(Rate{}))
	}
	if twice := (Rate{300, 10 * time.Millisecond}).Times(2); twice != (Rate{600, 5 * time.Millisecond}) {
		t.Errorf("twice is %v", twice)
	}
}

func TestRetryAfter(t *testing.T) {
	for every, want := range map[time.Duration]int{
		time.Millisecond: 1, time.Second: 1, 1001 * time.Millisecond: 2, 5 * time.Second: 5,
	} {
		if got := NewKeyed(Rate{1, every}).RetryAfter(); got != want {
			t.Errorf("%s: %d, want %d", every, got, want)
		}
	}
}

func FuzzRate(f *testing.F) {
	f.Add("300+100/s")
	f.Add("1+1/h")
	f.Add("1+999999/s")
	f.Fuzz(func(t *testing.T, text string) {
		var r, again Rate
		if r.UnmarshalText([]byte(text)) != nil {
			return
		}
		if r.Burst < 1 || r.Every < time.Microsecond || r.Every > time.Hour {
			t.Errorf("%q gives %#v", text, r)
		}
		if err := again.UnmarshalText([]byte(r.String())); err != nil || again != r {
			t.Errorf("%q gives %s: %v", text, r, err)
		}
	})
}

// BenchmarkFlood is keys that were never seen before: each call costs the same.
func BenchmarkFlood(b *testing.B) {
	k := NewKeyed(Rate{20, time.Second})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		k.Allow(strconv.Itoa(i))
	}
}

// BenchmarkAllow is keys that are known.
func BenchmarkAllow(b *testing.B) {
	k := NewKeyed(Rate{20, time.Second})
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			k.Allow(keys[rand.N(len(keys))])
		}
	})
}

// pipes is a listener whose connections come out of a channel.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return nil }

// TestListener: each connection has its own pace, in bytes.
func TestListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		accept := make(pipes, 2)
		l := Listener(accept, Rate{100, 10 * time.Millisecond})
		for range 2 {
			near, far := net.Pipe()
			accept <- near
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				_, _ = far.Write(make([]byte, 1100))
				_ = far.Close()
			}()
			began := time.Now()
			if n, err := io.Copy(io.Discard, c); n != 1100 || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
			if d := time.Since(began); d != 10*time.Second {
				t.Errorf("took %s", d)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := l.Accept(); err == nil {
			t.Error("a closed listener accepts")
		}
	})
	if l := make(pipes); Listener(l, Rate{}) != net.Listener(l) {
		t.Error("no limit is a limit")
	}
}
