using CsCheck;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Tests.Formats;

public sealed class ProcfileTests
{
    [Theory]
    [InlineData("web: node s\n", "web=node s")]
    [InlineData("web:node s", "web=node s")]
    [InlineData("  indented: c d:e ", "indented=c d:e")]
    [InlineData("\uFEFFweb:\tnode\t s\t\r\n\r\n# comment\r\n  # another\r\nw2: x # not comment\r\n", "web=node\t s|w2=x # not comment")]
    [InlineData("w-3.x: y\nW_1: z", "w-3.x=y|W_1=z")]
    [InlineData("static:\nphp:", "static=|php=")]
    [InlineData("release: a\npreflight: b\n", "release=a|preflight=b")]
    [InlineData("wsgi: app:app", "wsgi=app:app")]
    [InlineData("web: é ☃ 🚀", "web=é ☃ 🚀")]
    [InlineData("a: 1\rb: 2", "a=1|b=2")]
    public void Lines_are_kind_and_command(string text, string expected)
    {
        var procfile = Procfile.Parse(text);
        Assert.Equal(expected, string.Join('|', procfile.Entries.Select(entry => $"{entry.Kind}={entry.Command}")));
        Assert.Empty(procfile.Warnings);
    }

    [Theory]
    [InlineData("no colon here", "line 1 is skipped: it has no colon")]
    [InlineData("sp ace: x", "a kind is up to 63 letters")]
    [InlineData(":empty", "a kind is up to 63 letters")]
    [InlineData("../../x: y", "a kind is up to 63 letters")]
    [InlineData("a/b: y", "a kind is up to 63 letters")]
    [InlineData("a\0b: y", "a kind is up to 63 letters")]
    [InlineData("wörk: y", "a kind is up to 63 letters")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: y", "a kind is up to 63 letters")]
    [InlineData("nocmd:", "'nocmd' has no command")]
    [InlineData("bell: \a", "control character")]
    public void A_bad_line_is_skipped_with_a_warning(string line, string warning)
    {
        var procfile = Procfile.Parse($"{line}\nworker: x");
        Assert.Contains(warning, Assert.Single(procfile.Warnings), StringComparison.Ordinal);
        Assert.Equal("worker", Assert.Single(procfile.Entries).Kind);
    }

    [Fact]
    public void Of_a_repeated_kind_the_last_wins_in_the_place_of_the_first()
    {
        var procfile = Procfile.Parse("worker: a\nother: o\nworker: b\n");
        Assert.Equal([new("worker", "b", 3), new("other", "o", 2)], procfile.Entries);
        Assert.Contains("line 3 replaces the 'worker' of line 1", Assert.Single(procfile.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wsgi")]
    [InlineData("jwsgi")]
    [InlineData("rwsgi")]
    public void A_uwsgi_server_disables_web(string kind)
    {
        var procfile = Procfile.Parse($"web: x\n{kind}: y");
        Assert.Equal([kind], procfile.Entries.Select(entry => entry.Kind));
        Assert.Contains($"both '{kind}' and 'web'", Assert.Single(procfile.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Preflight_and_release_are_no_workers()
    {
        var procfile = Procfile.Parse("preflight: p\nrelease: r\nweb: w");
        Assert.Equal(("p", "r"), (procfile.Preflight, procfile.Release));
        Assert.Equal(["web"], procfile.Workers.Select(entry => entry.Kind));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF")]
    [InlineData("\n \n# web: x\n")]
    [InlineData("no colon")]
    public void Without_any_entry_it_is_an_error(string text) =>
        Assert.Contains("starts nothing", Assert.Throws<UserError>(() => Procfile.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("web: x\ncron1: 99 * * * * z", "Procfile line 2 (cron1): the minute field '99'")]
    [InlineData("cronjob: whenever", "Procfile line 1 (cronjob): the minute field 'whenever'")]
    [InlineData("cron: @reboot x", "Procfile line 1 (cron): '@reboot' is not a schedule")]
    public void A_cron_line_that_cannot_be_kept_is_an_error_with_its_line(string text, string message) =>
        Assert.StartsWith(message, Assert.Throws<UserError>(() => Procfile.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("cron: node worker.js", "Procfile line 1 (cron): the minute field 'node'", "Every kind that begins with 'cron' is a schedule: write 'cron: 0 3 * * * node worker.js' to run it at 3:00, or use another name, such as 'worker: node worker.js', to keep it running.")]
    [InlineData("cronicle: ./cronicle start", "Procfile line 1 (cronicle): the minute field", "Every kind that begins with 'cron' is a schedule")]
    [InlineData("web: heroku-php-apache2 web/", "Procfile line 1: 'heroku-php-apache2' is a program of Heroku's: write 'php: web' in place of 'web: …'", "")]
    [InlineData("web: vendor/bin/heroku-php-nginx -C nginx.conf public/", "Procfile line 1: 'heroku-php-nginx' is a program of Heroku's: write 'php: public'", "")]
    [InlineData("web: heroku-php-apache2", "Procfile line 1: 'heroku-php-apache2' is a program of Heroku's: write 'php: .'", "")]
    public void A_line_that_means_something_else_here_is_refused_with_the_line_to_write(string text, string beginning, string end)
    {
        var message = Assert.Throws<UserError>(() => Procfile.Parse(text)).Message;
        Assert.StartsWith(beginning, message, StringComparison.Ordinal);
        Assert.Contains(end, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_number_in_a_schedule_is_told_without_a_lecture() =>
        Assert.DoesNotContain("Every kind", Assert.Throws<UserError>(() => Procfile.Parse("cron: 99 * * * * x")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("Web", "web")]
    [InlineData("RELEASE", "release")]
    [InlineData("Cron1", "cron1")]
    [InlineData("Static", "static")]
    public void A_kind_in_capitals_is_a_worker_and_warned_of(string kind, string meant) =>
        Assert.Contains($"Procfile line 1: '{kind}' is a worker that serves nobody, because kinds are lower case: write '{meant}: …'",
            Assert.Single(Procfile.Parse($"{kind}: x").Warnings), StringComparison.Ordinal);

    [Fact]
    public void A_huge_file_is_read() => Assert.Single(Procfile.Parse($"web: x\n{new string('#', 5_000_000)}").Entries);

    [Fact]
    public void Any_text_gives_entries_or_a_user_error() => Gen.String.Sample(text =>
    {
        try
        {
            Assert.All(Procfile.Parse(text + "\nweb: x").Entries, entry => Assert.Matches(@"\A[A-Za-z0-9._-]{1,63}\z", entry.Kind));
        }
        catch (UserError)
        {
        }
    });
}
