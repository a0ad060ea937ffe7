using System.Collections.Immutable;
using System.Text;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>Reads nginx configuration text by the rules of ngx_conf_file.c (ngx_conf_parse, ngx_conf_read_token).</summary>
internal sealed class NginxReader
{
    /// <summary>Blocks in blocks; nginx's own never go deeper than a handful.</summary>
    private const int MaxDepth = 32;

    private readonly string _text;
    private readonly string? _fileName;
    private int _at;

    private NginxReader(string text, string? fileName) => (_text, _fileName) = (text, fileName);

    public static ImmutableArray<NginxDirective> Read(string text, string? fileName) => new NginxReader(text, fileName).ReadBlock(depth: 0);

    private ImmutableArray<NginxDirective> ReadBlock(int depth)
    {
        if (depth > MaxDepth)
            throw Wrong("blocks are nested too deeply");
        var directives = ImmutableArray.CreateBuilder<NginxDirective>();
        while (true)
        {
            SkipBlanksAndComments();
            if (_at == _text.Length)
                return depth == 0 ? directives.ToImmutable() : throw Wrong("a '}' is missing at the end");
            if (_text[_at] == '}')
            {
                if (depth == 0)
                    throw Wrong("a '}' closes nothing");
                _at++;
                return directives.ToImmutable();
            }
            directives.Add(ReadDirective(depth));
        }
    }

    private NginxDirective ReadDirective(int depth)
    {
        var words = new List<string>();
        var origin = _fileName is null ? null : $"{_fileName}:{Line}";
        while (true)
        {
            SkipBlanksAndComments();
            if (_at == _text.Length)
                throw Wrong("a ';' is missing at the end");
            if (_text[_at] is ';' or '{' && words.Count > 0)
                break;
            words.Add(_text[_at] switch
            {
                ';' or '{' or '}' => throw Wrong($"'{_text[_at]}' is not expected here"),
                '"' or '\'' => ReadQuoted(),
                _ => ReadBare(),
            });
        }
        var arguments = words.Skip(1).Select(NginxArgument.Expression).ToImmutableArray();
        return new NginxDirective(words[0], arguments, _text[_at++] == '{' ? ReadBlock(depth + 1) : null) { Origin = origin };
    }

    private string ReadBare()
    {
        var start = _at;
        for (; _at < _text.Length; _at++)
        {
            var c = _text[_at];
            if (c == '\\')
                _at++;
            else if (IsBlank(c) || c == ';' || (c == '{' && (_at == start || _text[_at - 1] != '$')))
                break;
        }
        _at = Math.Min(_at, _text.Length);
        return Unescape(_text[start.._at]);
    }

    private string ReadQuoted()
    {
        var quote = _text[_at];
        var start = ++_at;
        for (; _at < _text.Length && _text[_at] != quote; _at++)
        {
            if (_text[_at] == '\\')
                _at++;
        }
        if (_at >= _text.Length)
            throw Wrong($"a {quote} is not closed");
        var word = Unescape(_text[start.._at++]);
        return _at == _text.Length || IsBlank(_text[_at]) || _text[_at] is ';' or '{' or ')' ? word : throw Wrong($"something follows the closing {quote}");
    }

    /// <summary>A backslash escapes quotes and itself, and writes tab, return and newline; before anything else it stays.</summary>
    private static string Unescape(string word)
    {
        var text = new StringBuilder(word.Length);
        for (var i = 0; i < word.Length; i++)
        {
            char? escaped = word[i] == '\\' && i + 1 < word.Length
                ? word[i + 1] switch { '"' or '\'' or '\\' => word[i + 1], 't' => '\t', 'r' => '\r', 'n' => '\n', _ => null }
                : null;
            text.Append(escaped ?? word[i]);
            i += escaped is null ? 0 : 1;
        }
        return text.ToString();
    }

    private void SkipBlanksAndComments()
    {
        for (; _at < _text.Length; _at++)
        {
            if (_text[_at] == '#')
                _at = _text.IndexOf('\n', _at) is var end and >= 0 ? end : _text.Length - 1;
            else if (!IsBlank(_text[_at]))
                return;
        }
    }

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\r' or '\n';

    private int Line => _text.AsSpan(0, Math.Min(_at, _text.Length)).Count('\n') + 1;

    private UserError Wrong(string what) => new($"nginx configuration, line {Line}: {what}.");
}
