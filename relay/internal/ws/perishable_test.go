package ws

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/wire"
)

// offers is perishable frames and what has become of them.
type offers struct {
	*Conn
	life time.Duration
	lost sync.Map // frame → how often
}

func (o *offers) offer(frame string) bool {
	count, _ := o.lost.LoadOrStore(frame, new(atomic.Int32))
	return o.Offer(&Perishable{
		Frame: []byte(frame), Until: time.Now().Add(o.life),
		Lost: func() { count.(*atomic.Int32).Add(1) }, //nolint:forcetypeassert // stored above
	})
}

// timesLost returns how often a frame was said to be lost.
func (o *offers) timesLost(frame string) int32 {
	count, _ := o.lost.Load(frame)
	return count.(*atomic.Int32).Load() //nolint:forcetypeassert // stored by offer
}

// TestPerishablesInTime: they arrive in order, beside the others.
func TestPerishablesInTime(t *testing.T) {
	c, peer := loopback(t)
	o := &offers{Conn: c, life: patience}
	s := serve(t, t.Context(), c)
	for i := range 200 {
		if !o.offer(fmt.Sprint(i)) {
			t.Fatal("refused")
		}
	}
	for i := range 200 {
		want := fmt.Sprint(i)
		if _, got, err := peer.ReadMessage(); err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
		if o.timesLost(want) != 0 {
			t.Errorf("%s is said to be lost", want)
		}
	}
	c.Close(websocket.CloseNormalClosure, "")
	readAll(t, peer)
	s.endsWith(websocket.CloseNormalClosure, false)
}

// TestPerishablesPerish: a peer that stands still for a while gets nothing
// late, and what does not perish all the same.
func TestPerishablesPerish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t)
		o := &offers{Conn: c, life: 2 * time.Second}
		s := serve(t, t.Context(), c)
		for i := range 10 {
			if !o.offer(fmt.Sprint(i)) {
				t.Fatal("refused")
			}
		}
		synctest.Wait()
		time.Sleep(3 * time.Second) //nolint:forbidigo // the time of the bubble
		c.Send([]byte("signaling"))
		if !o.offer("fresh") {
			t.Fatal("refused")
		}
		got := map[string]bool{}
		for range 3 {
			_, frame, err := peer.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			got[string(frame)] = true
		}
		if !got["0"] || !got["signaling"] || !got["fresh"] { // 0 was on its way
			t.Errorf("got %v", got)
		}
		for i := range 10 {
			if lost := o.timesLost(fmt.Sprint(i)); lost != min(int32(i), 1) {
				t.Errorf("%d was lost %d times", i, lost)
			}
		}
		code := listen(peer)
		c.Close(websocket.CloseNormalClosure, "")
		<-code
		s.endsWith(websocket.CloseNormalClosure, false)
	})
}

// TestPerishablesAreRefused: a peer that does not keep up is not closed for
// them, and they take no room from others. In the end each is lost once.
func TestPerishablesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := pipe(t)
		o := &offers{Conn: c, life: time.Hour}
		s := serve(t, t.Context(), c)
		accepted := 0
		for ; o.offer(fmt.Sprint(accepted)); accepted++ {
			synctest.Wait()
		}
		if accepted != perishableLen+1 { // one is being written
			t.Errorf("%d were accepted", accepted)
		}
		for range queueLen {
			if !c.Send([]byte("signaling")) {
				t.Fatal("refused")
			}
		}
		c.Close(wire.CloseReplaced, "")
		s.endsWith(wire.CloseReplaced, false)
		for i := range accepted {
			if lost := o.timesLost(fmt.Sprint(i)); lost != 1 {
				t.Errorf("%d was lost %d times", i, lost)
			}
		}
		if lost := o.timesLost(fmt.Sprint(accepted)); lost != 0 {
			t.Errorf("what was refused was lost %d times", lost)
		}
		if !o.offer("too late") || o.timesLost("too late") != 1 {
			t.Error("what is offered to nobody is not lost")
		}
	})
}

// TestPerishablesAtTheEnd: what is accepted while the connection ends is either
// written or lost.
func TestPerishablesAtTheEnd(t *testing.T) {
	for range 5 {
		c, peer := loopback(t)
		s := serve(t, t.Context(), c)
		var accepted, lost atomic.Int32
		var drivers sync.WaitGroup
		for range 4 {
			drivers.Go(func() {
				for c.ended.Err() == nil {
					if c.Offer(&Perishable{
						Frame: []byte("go"), Until: time.Now().Add(patience), Lost: func() { lost.Add(1) },
					}) {
						accepted.Add(1)
					}
				}
			})
		}
		for range 10 {
			if _, _, err := peer.ReadMessage(); err != nil {
				t.Fatal(err)
			}
		}
		c.Close(websocket.CloseNormalClosure, "")
		frames, _, _ := readAll(t, peer)
		s.endsWith(websocket.CloseNormalClosure, false)
		drivers.Wait()
		if all := int32(10+len(frames)) + lost.Load(); all != accepted.Load() {
			t.Fatalf("%d accepted, %d read, %d lost", accepted.Load(), 10+len(frames), lost.Load())
		}
	}
}
