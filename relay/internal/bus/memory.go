package bus

import (
	"context"
	"sync"
)

// Memory is the bus of a relay that is one process.
type Memory struct {
	mu     sync.RWMutex
	owners map[string]*owner
	topics map[string]map[*owner]struct{}
}

type owner struct {
	deliver Deliver
	moved   func()
}

// NewMemory returns an empty bus.
func NewMemory() *Memory {
	return &Memory{owners: map[string]*owner{}, topics: map[string]map[*owner]struct{}{}}
}

// Claim implements [Bus].
func (m *Memory) Claim(address string, deliver Deliver, moved func()) (release func() bool) {
	mine := &owner{deliver: deliver, moved: moved}
	m.mu.Lock()
	previous := m.owners[address]
	m.owners[address] = mine
	m.mu.Unlock()
	if previous != nil && previous.moved != nil {
		previous.moved()
	}
	return func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.owners[address] != mine {
			return false
		}
		delete(m.owners, address)
		return true
	}
}

// Send implements [Bus].
func (m *Memory) Send(ctx context.Context, address string, e Envelope) error {
	m.mu.RLock()
	to := m.owners[address]
	m.mu.RUnlock()
	if to == nil {
		return ErrNobody
	}
	return to.deliver(ctx, e)
}

// Owned implements [Bus].
func (m *Memory) Owned(_ context.Context, address string) (bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.owners[address] != nil, nil
}

// Join implements [Bus].
func (m *Memory) Join(topic string, deliver Deliver) (leave func()) {
	mine := &owner{deliver: deliver}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.topics[topic] == nil {
		m.topics[topic] = map[*owner]struct{}{}
	}
	m.topics[topic][mine] = struct{}{}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.topics[topic], mine)
		if len(m.topics[topic]) == 0 {
			delete(m.topics, topic)
		}
	}
}

// Publish implements [Bus].
func (m *Memory) Publish(ctx context.Context, topic string, e Envelope) {
	m.mu.RLock()
	members := make([]*owner, 0, len(m.topics[topic]))
	for member := range m.topics[topic] {
		members = append(members, member)
	}
	m.mu.RUnlock()
	for _, member := range members {
		_ = member.deliver(ctx, e) // a member that does not take it has ended
	}
}
