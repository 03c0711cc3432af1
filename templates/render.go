package templates

import (
	"bytes"
	"embed"
	"fmt"
	"sync"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

//go:embed *.tmpl
var files embed.FS

// parsed reads all templates once, when the first is rendered. sprig's hermetic
// functions depend on nothing but their arguments: no clock, environment,
// random numbers or name service.
var parsed = sync.OnceValues(func() (*template.Template, error) {
	return template.New("").
		Funcs(sprig.HermeticTxtFuncMap()).
		Funcs(template.FuncMap{
			"sh":       words(Sh),
			"execline": words(Execline),
			"exec":     words(UnitWord),
			"path":     UnitPath,
			"comment":  Comment,
			"roff":     Roff,
		}).
		Option("missingkey=error").
		ParseFS(files, "*.tmpl")
})

// Render executes the template called name, without its .tmpl, on data. Each
// template says in its first comment what data it takes. A value that cannot be
// quoted is an error that matches [ErrUnquotable].
func Render(name string, data any) ([]byte, error) {
	all, err := parsed()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := all.ExecuteTemplate(&out, name+".tmpl", data); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// words lets a template give one word or a list to the same quoting function.
func words(quote func(string) (string, error)) func(any) (any, error) {
	return func(v any) (any, error) {
		list, ok := v.([]string)
		if !ok {
			return quote(fmt.Sprint(v))
		}
		quoted := make([]string, len(list))
		for i, w := range list {
			var err error
			if quoted[i], err = quote(w); err != nil {
				return nil, err
			}
		}
		return quoted, nil
	}
}
