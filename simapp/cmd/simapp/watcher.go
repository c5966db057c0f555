package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

// watcher is one viewer of the robot. The relay gives one app one session of a robot,
// so each has a connection of its own.
type watcher struct {
	number  int
	phone   *simapp.Phone
	viewing *simapp.Viewing // nil if it was refused, see refused
	refused error
	quality atomic.Pointer[simapp.Quality]
	curves  curves
}

// view is what is known of a watcher at one moment.
type view struct {
	Viewer int    `json:"viewer"`
	State  string `json:"state"` // in words
	simapp.Report
	Quality *simapp.Quality `json:"quality"` // nil before the robot has said it
	Error   string          `json:"error,omitempty"`

	err    error
	curves *curves
}

// watch asks for video. onRefusal, if not nil, hears what the robot does not do.
func (s *watcher) watch(ctx context.Context, c *account, a *app, token string, o simapp.Options, onRefusal func(*simapp.RefusedError)) {
	o.OnControl = func(data []byte) {
		switch m := simapp.ReadControl(data).(type) {
		case simapp.Quality:
			s.quality.Store(&m)
		case *simapp.RefusedError:
			if onRefusal != nil {
				onRefusal(m)
			}
		}
	}
	if s.phone, s.refused = c.connect(ctx, a, token, nil); s.refused == nil {
		s.viewing, s.refused = s.phone.Watch(ctx, o)
	}
}

// err says why the watcher has no video any more, nil while it may have.
func (s *watcher) err() error {
	if s.viewing == nil {
		return s.refused
	}
	return s.viewing.Err()
}

// sample takes the figures of this moment into the curves.
func (s *watcher) sample(now time.Time) {
	if s.viewing != nil && s.viewing.Err() == nil {
		s.curves.add(s.viewing.Totals(), now)
	}
}

func (s *watcher) view(now time.Time) view {
	v := view{Viewer: s.number, Quality: s.quality.Load(), err: s.err(), curves: &s.curves}
	if s.viewing != nil {
		v.Report = s.viewing.Report()
		if v.err == nil {
			v.State = state(v.Report, now.Sub(s.viewing.Totals().Newest))
			return v
		}
	}
	if errors.Is(v.err, simapp.ErrClosed) {
		v.err, v.State = nil, "ended"
		return v
	}
	v.State, v.Error = ending(v.err), v.err.Error()
	return v
}

// leave ends the viewing.
func (s *watcher) leave() {
	if s.viewing != nil {
		s.viewing.Close()
	}
	if s.phone != nil {
		s.phone.Close()
	}
}

// ending says in words why there is no video.
func ending(err error) string {
	var refused *simapp.RelayError
	if errors.As(err, &refused) && refused.Code == wire.CodeViewerLimit {
		return "refused: the robot has as many viewers as it allows"
	}
	return "ended: " + err.Error()
}
