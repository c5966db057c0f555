package hub

import (
	"slices"
	"sync"

	"wimz.dev/live/relay/internal/store"
)

// sockets are the apps that each user has connected, oldest first. A user has
// at most a given number, so that a leaked token can't take all there is.
type sockets struct {
	most int // 0: any number

	mu     sync.Mutex
	byUser map[store.UserID][]*app
}

// add takes an app in. If its user then has too many, the oldest is returned:
// it may be one that was lost and has not been missed yet, the newest never is.
func (s *sockets) add(a *app) (surplus *app) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user := a.me.User
	s.byUser[user] = append(s.byUser[user], a)
	if all := s.byUser[user]; s.most > 0 && len(all) > s.most {
		surplus, s.byUser[user] = all[0], all[1:]
	}
	return surplus
}

// remove forgets an app, if it is still there.
func (s *sockets) remove(a *app) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := slices.DeleteFunc(s.byUser[a.me.User], func(other *app) bool { return other == a })
	if len(rest) == 0 {
		delete(s.byUser, a.me.User)
		return
	}
	s.byUser[a.me.User] = rest
}
