package rtc

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/pion/logging"
)

// NewLoggerFactory lets pion log through slog. What pion calls an error is most
// often one lost packet or one unreachable address, so nothing of it is above
// debug; what matters to an owner is said by the sessions themselves.
func NewLoggerFactory(log *slog.Logger) logging.LoggerFactory { return loggerFactory{log} }

type loggerFactory struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (f loggerFactory) NewLogger(scope string) logging.LeveledLogger {
	return leveled{f.log.With("pion", scope)}
}

type leveled struct{ log *slog.Logger }

func (l leveled) print(text string) {
	l.log.DebugContext(context.Background(), "pion", "text", text)
}

// printf leaves out what pion/ice says when it starts: the other side's password.
func (l leveled) printf(format string, args ...any) {
	if strings.Contains(format, "Pwd") {
		return
	}
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.print(fmt.Sprintf(format, args...))
	}
}

// pion's trace level prints every packet; it is dropped.
func (leveled) Trace(string)                        {}
func (leveled) Tracef(string, ...any)               {}
func (l leveled) Debug(text string)                 { l.print(text) }
func (l leveled) Debugf(format string, args ...any) { l.printf(format, args...) }
func (l leveled) Info(text string)                  { l.print(text) }
func (l leveled) Infof(format string, args ...any)  { l.printf(format, args...) }
func (l leveled) Warn(text string)                  { l.print(text) }
func (l leveled) Warnf(format string, args ...any)  { l.printf(format, args...) }
func (l leveled) Error(text string)                 { l.print(text) }
func (l leveled) Errorf(format string, args ...any) { l.printf(format, args...) }
