package turnserver

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// logFactory sends what pion says to slog, all of it at debug: pion calls a
// refused credential an error, here it is an ordinary event.
type logFactory struct{ log *slog.Logger }

// NewLogger implements [logging.LoggerFactory].
func (f logFactory) NewLogger(scope string) logging.LeveledLogger {
	return pionLog{f.log.With("pion", scope)}
}

type pionLog struct{ log *slog.Logger }

func (l pionLog) say(level, format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("TURN server", "level", level, "text", fmt.Sprintf(format, args...))
	}
}

func (l pionLog) Trace(string)                      {}
func (l pionLog) Tracef(string, ...any)             {}
func (l pionLog) Debug(msg string)                  { l.say("debug", "%s", msg) }
func (l pionLog) Debugf(format string, args ...any) { l.say("debug", format, args...) }
func (l pionLog) Info(msg string)                   { l.say("info", "%s", msg) }
func (l pionLog) Infof(format string, args ...any)  { l.say("info", format, args...) }
func (l pionLog) Warn(msg string)                   { l.say("warn", "%s", msg) }
func (l pionLog) Warnf(format string, args ...any)  { l.say("warn", format, args...) }
func (l pionLog) Error(msg string)                  { l.say("error", "%s", msg) }
func (l pionLog) Errorf(format string, args ...any) { l.say("error", format, args...) }
