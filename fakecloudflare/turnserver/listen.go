package turnserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// listeners are the sockets clients come to: UDP and TCP on one port, TLS on
// another.
type listeners struct {
	udp net.PacketConn
	tcp net.Listener
	tls net.Listener // nil without a certificate
}

// portAttempts bounds the search for a port that is free for UDP and TCP.
const portAttempts = 20

func listen(addr, host string, cfg *tls.Config) (*listeners, error) {
	var (
		l   *listeners
		err error
	)
	for range portAttempts {
		if l, err = listenPair(addr); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if cfg == nil {
		return l, nil
	}
	var lc net.ListenConfig
	if l.tls, err = lc.Listen(context.Background(), "tcp", net.JoinHostPort(host, "0")); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
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
	urls := []string{
		fmt.Sprintf("turn:%s?transport=udp", l.udp.LocalAddr()),
		fmt.Sprintf("turn:%s?transport=tcp", l.tcp.Addr()),
	}
	if l.tls != nil {
		urls = append(urls, fmt.Sprintf("turns:%s?transport=tcp", l.tls.Addr()))
	}
	return urls
}

// close gives up sockets that were never served.
func (l *listeners) close() {
	_ = l.udp.Close()
	_ = l.tcp.Close()
	if l.tls != nil {
		_ = l.tls.Close()
	}
}
