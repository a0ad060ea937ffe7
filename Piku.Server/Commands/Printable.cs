using System.Text;

namespace Piku.Server.Commands;

/// <summary>Text on its way to a person's terminal or a log line.</summary>
internal static class Printable
{
    private const int Longest = 80;

    /// <summary>What a stranger typed, safe to repeat: no control characters, no longer than a line.</summary>
    public static string Text(string typed)
    {
        var head = typed.Length > Longest ? typed[..Longest] + "…" : typed;
        return string.Concat(head.Select(c => char.IsControl(c) ? '?' : c));
    }

    /// <summary>Writes one line and sends it on its way.</summary>
    public static async Task LineAsync(this Stream stream, string text, CancellationToken cancel)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text + "\n"), cancel);
        await stream.FlushAsync(cancel);
    }
}
