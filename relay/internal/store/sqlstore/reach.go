package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"wimz.dev/live/relay/internal/config"
)

// Reach says whether [Open] would get at the database, and changes nothing in it. A
// file is not made, only its folder is looked at: one made by somebody else than
// the relay would be of no use to it.
func Reach(ctx context.Context, url config.DatabaseURL) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := reach(ctx, url)
	if err != nil {
		return fmt.Errorf("reach database %s: %w", url, err)
	}
	return nil
}

func reach(ctx context.Context, url config.DatabaseURL) error {
	if url.PostgreSQL() {
		s, err := openPostgres(url)
		if err != nil {
			return err
		}
		return errors.Join(s.db.PingContext(ctx), s.Close())
	}
	path, err := url.Path()
	if err != nil || path == config.MemoryDatabase {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(path))
		return err
	}
	if err != nil {
		return err
	}
	return file.Close()
}
