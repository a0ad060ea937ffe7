using System.Net;
using Microsoft.Extensions.Time.Testing;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Admission;
using Piku.Server.Ssh.Authentication;

namespace Piku.Tests.Ssh;

/// <summary>Who is let in, who has to go for others, and who has to wait.</summary>
public sealed class AdmissionTests
{
    private static readonly IPAddress Crowd = IPAddress.Parse("203.0.113.1"), Other = IPAddress.Parse("203.0.113.2");

    private readonly FakeTimeProvider _clock = new();

    [Theory]
    [InlineData("10:30:100", 9, 0)]
    [InlineData("10:30:100", 10, 0.3)]
    [InlineData("10:30:100", 55, 0.65)]
    [InlineData("10:30:100", 100, 1)]
    [InlineData("10:30:10", 9, 0)]
    [InlineData("10:30:10", 10, 1)]
    public void Starting_connections_are_refused_ever_more_often(string text, int starting, double chance) =>
        Assert.Equal(chance, Startups.TryParse(text)!.ChanceOfRefusal(starting), 6);

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("10:30")]
    [InlineData("0:30:100")]
    [InlineData("10:0:100")]
    [InlineData("10:101:100")]
    [InlineData("10:30:9")]
    [InlineData("10:30:10001")]
    [InlineData("-1:30:100")]
    [InlineData("10:30:100:1")]
    public void What_is_no_start_rate_and_full_is_refused(string text) => Assert.Null(Startups.TryParse(text));

    [Fact]
    public void Who_has_fewer_takes_the_place_of_the_oldest_of_those_with_most()
    {
        var gate = Gate(full: 4);
        var crowd = Enumerable.Range(0, 3).Select(_ => gate.TryEnter(Crowd, out var _)!).ToList();
        var single = gate.TryEnter(Other, out _)!;

        Assert.NotNull(gate.TryEnter(IPAddress.Parse("203.0.113.3"), out _));

        Assert.Equal([true, false, false, false], new[] { crowd[0], crowd[1], crowd[2], single }.Select(place => place.Displaced.IsCancellationRequested));
    }

    [Fact]
    public void Who_has_as_many_displaces_nobody()
    {
        var gate = Gate(full: 2);
        var (first, second) = (gate.TryEnter(Crowd, out _)!, gate.TryEnter(Other, out _)!);

        Assert.Null(gate.TryEnter(Crowd, out var refusal));

        Assert.Equal(RefusalKind.ManyStarting, refusal);
        Assert.False(first.Displaced.IsCancellationRequested || second.Displaced.IsCancellationRequested);
    }

    [Fact]
    public void Who_is_known_is_not_displaced_and_counts_for_its_address()
    {
        var gate = Gate(full: 1, ofOneAddress: 2);
        var known = gate.TryEnter(Crowd, out _)!;
        known.Keep();
        var starting = gate.TryEnter(Crowd, out _)!;

        Assert.Null(gate.TryEnter(Crowd, out var refusal));
        Assert.Equal(RefusalKind.ManyOfOneAddress, refusal);
        Assert.NotNull(gate.TryEnter(Other, out _));

        Assert.Equal((false, true), (known.Displaced.IsCancellationRequested, starting.Displaced.IsCancellationRequested));
        starting.Dispose();
        known.Dispose();
        known.Dispose();
        Assert.Null(gate.TryEnter(Other, out refusal)); // it has one that starts, and nobody has more
        Assert.Equal(RefusalKind.ManyStarting, refusal);
        Assert.NotNull(gate.TryEnter(Crowd, out _));
    }

    [Fact]
    public void A_site_of_IPv6_counts_as_one_address()
    {
        var gate = Gate(full: 10, ofOneAddress: 1);
        Assert.NotNull(gate.TryEnter(IPAddress.Parse("2001:db8::1"), out _));
        Assert.Null(gate.TryEnter(IPAddress.Parse("2001:db8::2"), out _));
        Assert.NotNull(gate.TryEnter(IPAddress.Parse("2001:db8:0:1::1"), out _));
        Assert.NotNull(gate.TryEnter(IPAddress.Parse("::ffff:203.0.113.1"), out _));
        Assert.Null(gate.TryEnter(Crowd, out _));
    }

    [Fact]
    public void Whatever_comes_and_goes_the_places_add_up()
    {
        var random = new Random(5);
        var gate = Gate(full: 20, ofOneAddress: 30);
        var places = new List<Place>();
        for (var i = 0; i < 20_000; i++)
        {
            if (random.Next(3) > 0 && gate.TryEnter(new IPAddress([203, 0, 113, (byte)random.Next(8)]), out _) is { } place)
                places.Add(place);
            else if (places.Count > 0 && places[random.Next(places.Count)] is var some && random.Next(2) == 0)
                some.Keep();
            else if (places.Count > 0)
                Leave(random.Next(places.Count));
            Assert.InRange(places.Count(place => place.Starting is not null), 0, 20);
        }
        while (places.Count > 0)
            Leave(0);
        Assert.All(Enumerable.Range(0, 20), _ => Assert.NotNull(gate.TryEnter(Crowd, out var _)));

        void Leave(int index)
        {
            places[index].Dispose();
            places.RemoveAt(index);
        }
    }

    [Fact]
    public void Penalties_add_up_to_a_block_that_is_told_once_and_passes()
    {
        var penalties = new Penalties(new(), _clock);
        Assert.Null(penalties.Add(Crowd, Fault.Failure));
        Assert.Null(penalties.Add(Crowd, Fault.Failure));
        Assert.False(penalties.IsBlocked(Crowd));

        Assert.Equal(TimeSpan.FromSeconds(15), penalties.Add(Crowd, Fault.Failure));

        Assert.Null(penalties.Add(Crowd, Fault.Failure));
        Assert.Equal((true, false), (penalties.IsBlocked(Crowd), penalties.IsBlocked(Other)));
        _clock.Advance(TimeSpan.FromSeconds(19.9));
        Assert.True(penalties.IsBlocked(Crowd));
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.False(penalties.IsBlocked(Crowd));
        Assert.Null(penalties.Add(Crowd, Fault.Failure));
    }

    [Fact]
    public void A_block_has_an_end_and_slow_mistakes_make_none()
    {
        var penalties = new Penalties(new() { Longest = TimeSpan.FromSeconds(60) }, _clock);
        for (var i = 0; i < 100; i++)
            penalties.Add(Crowd, Fault.Silence);
        for (var i = 0; i < 100; i++, _clock.Advance(TimeSpan.FromSeconds(6)))
            Assert.Null(penalties.Add(Other, Fault.Failure));
        Assert.False(penalties.IsBlocked(Crowd));
    }

    [Fact]
    public void Who_is_exempt_or_did_nothing_wrong_is_never_blocked()
    {
        var penalties = new Penalties(new() { Exempt = AddressPatterns.Parse("203.0.113.0/31") }, _clock);
        for (var i = 0; i < 100; i++)
        {
            Assert.Null(penalties.Add(Crowd, Fault.Silence));
            Assert.Null(penalties.Add(Other, Fault.None));
        }
        Assert.False(penalties.IsBlocked(Crowd) || penalties.IsBlocked(Other));
    }

    [Fact]
    public void So_many_addresses_are_remembered_and_those_that_end_first_forgotten()
    {
        var penalties = new Penalties(new() { Addresses = 2 }, _clock);
        penalties.Add(Crowd, Fault.Silence);
        penalties.Add(Other, Fault.NoTry);
        penalties.Add(IPAddress.Parse("203.0.113.3"), Fault.Silence);
        penalties.Add(Other, Fault.NoTry);
        Assert.True(penalties.IsBlocked(IPAddress.Parse("203.0.113.3")));
        Assert.False(penalties.IsBlocked(Crowd));
    }

    [Fact]
    public void Refusals_are_told_once_in_a_while()
    {
        var tally = new RefusalTally(_clock);
        Assert.Equal(0, tally.Count(RefusalKind.ManyStarting));
        Assert.Null(tally.Count(RefusalKind.ManyStarting));
        Assert.Null(tally.Count(RefusalKind.ManyStarting));
        Assert.Equal(0, tally.Count(RefusalKind.ManyOfOneAddress));
        _clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(2, tally.Count(RefusalKind.ManyStarting));
    }

    private static StartupGate Gate(int full, int ofOneAddress = 100) =>
        new(new SshLimits { Startups = new(full, 100, full), ConnectionsPerAddress = ofOneAddress });
}
