package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"wimz.dev/live/simapp"
)

// watchers is everybody this command watches as.
type watchers struct {
	all     []*watcher
	waiting sync.WaitGroup // for live and ended of each watcher
}

// add asks for video for one more. The first one's pictures are kept.
func (w *watchers) add(ctx context.Context, c *watchCmd, a *app, token string, number int, keep *keeper) {
	o := simapp.Options{Device: c.Device, Codec: c.Codec, RelayOnly: c.RelayOnly}
	if number == 1 {
		o.OnPicture, o.OnCoded = keep.picture(), keep.coded()
	}
	s := &watcher{number: number}
	w.all = append(w.all, s)
	s.watch(ctx, &c.account, a, token, o, nil)
}

// refused is why nobody has a viewing, nil if somebody has.
func (w *watchers) refused() error {
	var errs error
	for _, s := range w.all {
		if s.viewing != nil {
			return nil
		}
		errs = errors.Join(errs, w.named(s.number, explain(s.refused)))
	}
	return errs
}

// named says whose error it is, if there are several.
func (w *watchers) named(number int, err error) error {
	if len(w.all) == 1 || err == nil {
		return err
	}
	return fmt.Errorf("viewer %d: %w", number, err)
}

// watched returns what is told when somebody has the first picture, and for each
// who has no more.
func (w *watchers) watched() (live, ended <-chan struct{}) {
	first, end := make(chan struct{}, len(w.all)), make(chan struct{}, len(w.all))
	for _, s := range w.all {
		if s.viewing == nil {
			end <- struct{}{}
			continue
		}
		w.waiting.Go(func() {
			select {
			case <-s.viewing.Live():
				first <- struct{}{}
				<-s.viewing.Done()
			case <-s.viewing.Done():
			}
			end <- struct{}{}
		})
	}
	return first, end
}

// follow shows everybody until all have ended, ctx has, or the time is over. It
// fails if nothing can be shown any more.
func (w *watchers) follow(ctx context.Context, limit time.Duration, screen *screen, keep *keeper) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var over <-chan time.Time
	live, ended := w.watched()
	w.sample(time.Now())
	screen.enter()
	defer screen.leave()
	if err := screen.show(w.views(), keep.words()); err != nil {
		return err
	}
	for left := len(w.all); left > 0; {
		select {
		case now := <-tick.C:
			w.sample(now)
			if err := screen.show(w.views(), keep.words()); err != nil {
				return err
			}
		case told := <-screen.signals:
			screen.obey(told)
		case <-live:
			if over == nil && limit > 0 {
				over = time.After(limit)
			}
		case <-ended:
			left--
		case <-over:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func (w *watchers) sample(now time.Time) {
	for _, s := range w.all {
		s.sample(now)
	}
}

func (w *watchers) views() []view {
	all, now := make([]view, len(w.all)), time.Now()
	for i, s := range w.all {
		all[i] = s.view(now)
	}
	return all
}

// leave ends every viewing, at the same time.
func (w *watchers) leave() {
	var closing sync.WaitGroup
	for _, s := range w.all {
		closing.Go(s.leave)
	}
	closing.Wait()
	w.waiting.Wait()
}

// outcome is the error of the command. That video has ended early is none, but it
// is told.
func (w *watchers) outcome(a *app, views []view) (errs error) {
	for _, v := range views {
		switch {
		case v.Frames > 0 && v.err != nil:
			_, _ = fmt.Fprintf(a.stderr, "simapp: the video ended early: %v\n", w.named(v.Viewer, explain(v.err)))
		case v.Frames > 0:
		case v.err == nil:
			errs = errors.Join(errs, w.named(v.Viewer, fmt.Errorf("%w: stopped before the first one", errNoVideo)))
		default:
			errs = errors.Join(errs, w.named(v.Viewer, explain(fmt.Errorf("%w: %w", errNoVideo, v.err))))
		}
	}
	return errs
}
