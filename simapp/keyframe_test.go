package simapp

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestKeyFramesAreAskedForUntilOneComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, sent := time.Now(), []time.Duration(nil)
		k := newKeyRequester(func() { sent = append(sent, time.Since(start)) })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			k.run(ctx)
		}()
		at := func(d time.Duration) {
			<-time.After(d - time.Since(start))
			synctest.Wait()
		}

		k.need() // sent at 0
		k.need()
		at(2*keyInterval + 1) // and at 1 and 2 intervals
		k.satisfied()
		k.need() // inside the interval: at 3 intervals, not dropped
		at(3*keyInterval + 1)
		k.satisfied()
		at(9*keyInterval + 1)
		k.need() // long after: at once
		synctest.Wait()
		k.satisfied()
		at(20 * keyInterval)

		cancel()
		<-ended
		want := []time.Duration{0, keyInterval, 2 * keyInterval, 3 * keyInterval, 9*keyInterval + 1}
		if len(sent) != len(want) {
			t.Fatalf("sent at %v, want %v", sent, want)
		}
		for i := range want {
			if sent[i] != want[i] {
				t.Errorf("sent at %v, want %v", sent, want)
				break
			}
		}
	})
}
