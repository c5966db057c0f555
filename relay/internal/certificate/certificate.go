// Package certificate serves a TLS certificate from two files and notices when
// they change, as they do every few weeks, without a restart that would drop
// every socket.
package certificate

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// lookEvery bounds how often the files are looked at, however many clients
// connect.
const lookEvery = time.Second

// Files is a certificate chain and its private key, both PEM. Its methods may be
// called from any goroutine.
type Files struct {
	cert, key string
	log       *slog.Logger
	current   atomic.Pointer[tls.Certificate]

	looking atomic.Bool // the one who sets it owns the rest
	looked  time.Time
	seen    stamp
	problem string // why what was seen can't be used; empty if it is in use
}

// stamp is what the files looked like; nil stands for one that is not there.
type stamp struct {
	cert, key os.FileInfo
}

func (s stamp) equal(other stamp) bool { return same(s.cert, other.cert) && same(s.key, other.key) }

// same tells two versions of a file apart. Those of one size, written within a tick of
// the file system's clock, are told apart by being two files: tools replace them.
func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// Load reads the files. The error says what is wrong with them and repeats
// nothing of their content.
func Load(certFile, keyFile string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: certFile, key: keyFile, log: log, looked: time.Now()}
	f.seen = f.stat() // before they are read: what changes meanwhile is noticed
	if err := f.read(); err != nil {
		return nil, err
	}
	return f, nil
}

// Config returns a TLS configuration with the certificate, for HTTP/1.1 only:
// WebSockets need it.
func (f *Files) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: f.GetCertificate}
}

// Current returns the certificate in use, whose Leaf is set.
func (f *Files) Current() *tls.Certificate { return f.current.Load() }

// GetCertificate returns the certificate, read anew if the files have changed.
// If they can't be used, as when only one of the two has been replaced so far,
// the one before stays in use and the log says why, once; they are tried again
// until they can: that a file may be read now does not show in its stamp.
func (f *Files) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if f.looking.CompareAndSwap(false, true) {
		defer f.looking.Store(false)
		f.look(hello.Context())
	}
	return f.Current(), nil
}

func (f *Files) look(ctx context.Context) {
	if time.Since(f.looked) < lookEvery {
		return
	}
	f.looked = time.Now()
	now := f.stat()
	changed := !now.equal(f.seen)
	if !changed && f.problem == "" {
		return
	}
	f.seen = now
	if err := f.read(); err != nil {
		if changed || err.Error() != f.problem {
			f.log.WarnContext(ctx, "the new certificate can't be used, the old one stays", "error", err)
		}
		f.problem = err.Error()
		return
	}
	f.problem = ""
	f.log.InfoContext(ctx, "certificate read", "expires", f.Current().Leaf.NotAfter)
}

func (f *Files) read() error {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", f.cert, f.key, err)
	}
	f.current.Store(&pair)
	return nil
}

func (f *Files) stat() stamp {
	return stamp{statFile(f.cert), statFile(f.key)}
}

// statFile follows links, which is how some tools replace a file.
func statFile(name string) os.FileInfo {
	info, err := os.Stat(name)
	if err != nil {
		return nil
	}
	return info
}
