using System.Diagnostics;
using CsCheck;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Tests.Formats;

public sealed class NginxDirectiveTests
{
    private static readonly string[] HostileTexts =
    [
        "", "plain", "two words", "a;b", "a}b", "{", "}", "\"", "'", "\\", "a\\", "\\\\\"", "\\n", "#c", "a#b", "x\"; } server { listen 1; } #",
        "café ☃", "~^(.*)|x", "^~", "*.example.org",
    ];

    [Fact]
    public void Whatever_a_text_holds_it_reads_back_as_that_text() => Gen.OneOf(
            Gen.Int[0, HostileTexts.Length - 1].Select(index => HostileTexts[index]), Gen.String[Gen.Char["{};\"'\\# ntr$()a~"], 0, 12].Where(text => !text.Contains('$', StringComparison.Ordinal)))
        .Array.Sample(texts =>
        {
            var written = NginxDirective.Write([NginxDirective.Of("server", texts, [NginxDirective.Of("return", texts)])]);
            var server = Assert.Single(NginxDirective.Parse(written));
            var inner = Assert.Single(server.Block!.Value);
            Assert.Equal(texts, server.Arguments.Select(argument => argument.Value));
            Assert.Equal(("return", (object?)null), (inner.Name, inner.Block));
            Assert.Equal(texts, inner.Arguments.Select(argument => argument.Value));
        });

    [Theory]
    [InlineData("$host")]
    [InlineData("a$")]
    [InlineData("${x}")]
    [InlineData("a\nb")]
    [InlineData("a\0")]
    public void A_text_with_a_dollar_or_a_control_character_is_refused(string text) =>
        Assert.Throws<UserError>(() => NginxArgument.Text(text));

    [Theory]
    [InlineData("gzip on;", "gzip on;")]
    [InlineData("gzip   on ; # c\n\n#d", "gzip on;")]
    [InlineData("a;b;", "a;|b;")]
    [InlineData("location / { return 301 https://$host$request_uri; }", "location / {|    return 301 https://$host$request_uri;|}")]
    [InlineData("a{b{}}", "a {|    b {|    }|}")]
    [InlineData("x 'a b' \"c\\\"d\" e\\ f;", "x \"a b\" \"c\\\"d\" \"e\\\\ f\";")]
    [InlineData("gzip_disable \"MSIE [1-6]\\.(?!.*SV1)\";", "gzip_disable \"MSIE [1-6]\\\\.(?!.*SV1)\";")]
    [InlineData("set $x ${a}b;", "set $x \"${a}b\";")]
    [InlineData("map $a $b { default 0; \"~x y\" 1; }", "map $a $b {|    default 0;|    \"~x y\" 1;|}")]
    [InlineData("", "")]
    public void Configuration_text_becomes_directives(string text, string expected) =>
        Assert.Equal(expected, NginxDirective.Write(NginxDirective.Parse(text)).TrimEnd('\n').Replace('\n', '|'));

    [Theory]
    [InlineData("gzip on", "line 1: a ';' is missing")]
    [InlineData("a {\nb c;\n", "line 3: a '}' is missing")]
    [InlineData("a;\n}", "line 2: a '}' closes nothing")]
    [InlineData(";", "line 1: ';' is not expected")]
    [InlineData("{ }", "line 1: '{' is not expected")]
    [InlineData("a }", "line 1: '}' is not expected")]
    [InlineData("a \"b", "line 1: a \" is not closed")]
    [InlineData("a \"b\"c;", "line 1: something follows the closing \"")]
    [InlineData("a b\\", "line 1: a ';' is missing")]
    [InlineData("a \"\\", "line 1: a \" is not closed")]
    public void What_is_not_well_formed_is_refused_with_its_line(string text, string message) =>
        Assert.Contains(message, Assert.Throws<UserError>(() => NginxDirective.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Endless_blocks_are_refused() =>
        Assert.Throws<UserError>(() => NginxDirective.Parse(string.Concat(Enumerable.Repeat("a{", 100_000))));

    [Fact]
    public void Any_text_gives_directives_or_a_user_error() => Gen.String[Gen.Char["{};\"'\\#\n ab$"], 0, 40].Sample(text =>
    {
        try
        {
            var written = NginxDirective.Write(NginxDirective.Parse(text));
            Assert.Equal(written, NginxDirective.Write(NginxDirective.Parse(written)));
        }
        catch (UserError)
        {
        }
    });

    [NeedsMachine]
    [Fact]
    public async Task The_real_nginx_reads_the_same_texts()
    {
        var folder = Directory.CreateTempSubdirectory("piku-nginx-");
        try
        {
            var file = Path.Combine(folder.FullName, "nginx.conf");
            await File.WriteAllTextAsync(file, NginxDirective.Write([
                NginxDirective.Of("pid", Path.Combine(folder.FullName, "pid")),
                NginxDirective.Of("error_log", "stderr"),
                NginxDirective.Of("events", [], []),
                NginxDirective.Of("http", [], [
                    NginxDirective.Of("access_log", "off"),
                    NginxDirective.Of("server", [], [
                        NginxDirective.Of("listen", $"unix:{folder.FullName}/sock"),
                        .. HostileTexts.Select((text, index) => NginxDirective.Of("location", [$"/{index}"], [NginxDirective.Of("return", "200", text)])),
                    ]),
                ]),
            ]), TestContext.Current.CancellationToken);
            using var nginx = Process.Start(new ProcessStartInfo("nginx", ["-t", "-p", folder.FullName, "-c", file]) { RedirectStandardError = true })!;
            var errors = await nginx.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await nginx.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(nginx.ExitCode == 0, errors);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
