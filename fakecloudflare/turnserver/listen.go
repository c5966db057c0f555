package turnserver

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// listeners are the sockets clients come to: UDP and TCP on one port.
type listeners struct {
	udp net.PacketConn
	tcp net.Listener
}

// portAttempts bounds the search for a port that is free for UDP and TCP.
const portAttempts = 20

func listen(addr string) (l *listeners, err error) {
	for range portAttempts {
		if l, err = listenPair(addr); err == nil {
			return l, nil
		}
	}
	return nil, err
}

func listenPair(addr string) (*listeners, error) {
	var lc net.ListenConfig
	udp, err := lc.ListenPacket(context.Background(), "udp", addr)
	if err != nil {
		return nil, err
	}
	tcp, err := lc.Listen(context.Background(), "tcp", udp.LocalAddr().String())
	if err != nil {
		return nil, errors.Join(err, udp.Close())
	}
	return &listeners{udp: udp, tcp: tcp}, nil
}

func (l *listeners) urls() []string {
	return []string{
		fmt.Sprintf("turn:%s?transport=udp", l.udp.LocalAddr()),
		fmt.Sprintf("turn:%s?transport=tcp", l.tcp.Addr()),
	}
}

// close gives up sockets that were never served.
func (l *listeners) close() {
	_ = l.udp.Close()
	_ = l.tcp.Close()
}
