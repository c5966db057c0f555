package auth

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// How many logins the tests allow at a time, and to wait.
const (
	hashersAtOnce  = 2
	hashersWaiting = 64
)

// noon is when the tests take place.
var noon = time.Unix(1_700_000_000, 0).UTC()

func atNoon() time.Time { return noon }

var errBroken = errors.New("disk on fire")

// memory is the part of a store that this package uses.
type memory struct {
	mu      sync.Mutex
	users   map[string]store.User
	devices map[wire.DeviceID]store.Device
	revoked map[store.TokenID]bool
	asked   int // for users
	broken  error
}

func (m *memory) CreateUser(_ context.Context, u store.User) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.users[u.Email]; taken {
		return store.ErrTaken
	}
	if m.users == nil {
		m.users = map[string]store.User{}
	}
	m.users[u.Email] = u
	return m.broken
}

func (m *memory) UserByEmail(_ context.Context, email string) (store.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	u, there := m.users[email]
	if m.broken == nil && !there {
		return u, store.ErrNotFound
	}
	return u, m.broken
}

func (m *memory) Standing(_ context.Context, id store.UserID, token store.TokenID) (store.User, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.users {
		if u.ID == id {
			return u, m.revoked[token], m.broken
		}
	}
	return store.User{}, false, errors.Join(m.broken, store.ErrNotFound)
}

// change does something to an account.
func (m *memory) change(id store.UserID, do func(*store.User)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for email, u := range m.users {
		if u.ID == id {
			do(&u)
			m.users[email] = u
			return m.broken
		}
	}
	return store.ErrNotFound
}

func (m *memory) SetPassword(_ context.Context, id store.UserID, hash config.Secret, tokensFrom time.Time) error {
	return m.change(id, func(u *store.User) { u.PasswordHash, u.TokensFrom = hash, tokensFrom })
}

func (m *memory) DisableUser(_ context.Context, id store.UserID, disabled bool, tokensFrom time.Time) error {
	return m.change(id, func(u *store.User) {
		u.Disabled = disabled
		if disabled {
			u.TokensFrom = tokensFrom
		}
	})
}

func (m *memory) Device(_ context.Context, id wire.DeviceID) (store.Device, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, there := m.devices[id]
	if m.broken == nil && !there {
		return d, store.ErrNotFound
	}
	return d, m.broken
}

func (m *memory) AcceptSignature(_ context.Context, id wire.DeviceID, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.devices[id]
	if at.Before(d.SignedAt) {
		return store.ErrStale
	}
	d.SignedAt = at
	m.devices = maps.Clone(m.devices)
	m.devices[id] = d
	return nil
}
