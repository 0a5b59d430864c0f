using System.Net;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Sites;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Identity;

/// <summary>Readers over days and months.</summary>
public sealed class ReaderRenewalTests : IDisposable
{
    private const string Own = "https://hearts.example";
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 26, 3, 0, 0, TimeSpan.Zero));
    private readonly SiteList _sites = new(new ConfigurationBuilder().AddInMemoryCollection([new("HeartGrains:Sites", "https://*.blog.example"), new("HeartGrains:Listen", "0.0.0.0")]).Build(), NullLogger<SiteList>.Instance);
    private readonly Readers _readers;

    public ReaderRenewalTests() =>
        _readers = new Readers(Options.Create(new ReaderOptions { Secret = new string('s', 32) }), _sites, new ReaderMetrics(), _time);

    public void Dispose() => _sites.Dispose();

    [Fact]
    public void FindOrIssue_TokenPastHalfItsLife_IsRenewedForTheSameReader()
    {
        var first = Call();
        var reader = _readers.FindOrIssue(first).UserId;

        _time.Advance(TimeSpan.FromDays(89));
        var young = Call(cookie: CookieOf(first));
        _readers.FindOrIssue(young).UserId.ShouldBe(reader);
        young.Response.Headers.SetCookie.Count.ShouldBe(0);

        _time.Advance(TimeSpan.FromDays(2));
        var due = Call(cookie: CookieOf(first));
        _readers.FindOrIssue(due).UserId.ShouldBe(reader);
        CookieOf(due).ShouldNotBe(CookieOf(first));

        // The first would have expired by now.
        _time.Advance(TimeSpan.FromDays(120));
        _readers.Find(Call(cookie: CookieOf(first))).ShouldBeNull();
        _readers.Find(Call(cookie: CookieOf(due))).ShouldBe(reader);
        _readers.FindOrIssue(Call(cookie: CookieOf(first))).UserId.ShouldNotBe(reader);
    }

    [Fact]
    public void FindOrIssue_OnHttps_GivesACookieThatOnlyThisHostCanSet()
    {
        var secure = Call();
        _readers.FindOrIssue(secure);
        secure.Response.Headers.SetCookie.Single()!.ShouldMatch("^__Host-heart_reader=1[A-Za-z0-9_-]{48}; max-age=15552000; path=/; secure; samesite=lax; httponly$");

        var open = Call("http://hearts.example", scheme: "http");
        _readers.FindOrIssue(open);
        CookieOf(open).ShouldStartWith("heart_reader=");
    }

    [Fact]
    public void Find_CookieThatANeighbourSet_IsNotBelievedBesideOursNorOnceItIsNew()
    {
        var (own, other) = (Call(), Call());
        var reader = _readers.FindOrIssue(own).UserId;
        _readers.FindOrIssue(other).UserId.ShouldNotBe(reader);
        var planted = Planted(other);
        _readers.Find(Call(cookie: planted + "; " + CookieOf(own))).ShouldBe(reader);
        _readers.Find(Call(cookie: CookieOf(own) + "; " + planted)).ShouldBe(reader);

        // One of a time when the old name is not given any more.
        _time.SetUtcNow(ReaderCookie.OldUntil);
        var late = Call();
        _readers.FindOrIssue(late);
        _readers.Find(Call(cookie: CookieOf(late))).ShouldNotBeNull();
        _readers.Find(Call(cookie: Planted(late))).ShouldBeNull();
        _readers.FindOrIssue(Call(origin: null, cookie: Planted(late))).Refusal.ShouldNotBeNull("it is a cookie all the same, and wants an Origin");
    }

    [Fact]
    public void FindOrIssue_CookieFromBeforeTheName_IsTheSameReadersAndMoves()
    {
        var before = Call();
        var reader = _readers.FindOrIssue(before).UserId;

        var moving = Call(cookie: Planted(before));
        _readers.FindOrIssue(moving).UserId.ShouldBe(reader);
        CookieOf(moving).ShouldStartWith("__Host-heart_reader=");
        _readers.Find(Call(cookie: CookieOf(moving))).ShouldBe(reader);

        var leaving = Call(cookie: Planted(before) + "; " + CookieOf(moving));
        _readers.Forget(leaving, reader!);
        leaving.Response.Headers.SetCookie.Select(static cookie => cookie!.Split(';')[0]).ShouldBe(["heart_reader=", "__Host-heart_reader="]);
    }

    [Fact]
    public void FindOrIssue_ElementsTokenOfASubdomain_IsGoodOnAllPagesOfTheSite()
    {
        var first = Call("https://a.blog.example", token: "");
        var reader = _readers.FindOrIssue(first).UserId;
        var token = first.Response.Headers["Heart-Reader"].ToString();

        _readers.Find(Call("https://b.blog.example", token: token)).ShouldBe(reader);
        _readers.Find(Call(Own, token: token)).ShouldBeNull();
        _readers.Find(Call("https://evil.example", token: token)).ShouldBeNull();
    }

    [Theory]
    [InlineData("198.51.100.7", "198.51.100.200", true)]
    [InlineData("198.51.100.7", "198.51.101.7", false)]
    [InlineData("::ffff:198.51.100.7", "198.51.100.9", true)]
    [InlineData("2001:db8:1:2::3", "2001:db8:1:ffff::4", true)]
    [InlineData("2001:db8:1::3", "2001:db8:2::3", false)]
    public void OfAddress_TwoAddresses_AreOneReaderWithinANetwork(string one, string other, bool same)
    {
        var reader = _readers.OfAddress(Call(address: one), AddressReaders.Strict);
        reader.ShouldStartWith(Readers.Prefix);
        (_readers.OfAddress(Call(address: other), AddressReaders.Strict) == reader).ShouldBe(same);
    }

    [Fact]
    public void OfAddress_AnotherAgentOrAnotherDay_IsAnotherReaderAsTheModeSays()
    {
        var reader = _readers.OfAddress(Call(agent: "one"), AddressReaders.Soft);
        _readers.OfAddress(Call(agent: "other"), AddressReaders.Soft).ShouldNotBe(reader);
        _readers.OfAddress(Call(agent: "one"), AddressReaders.Soft).ShouldBe(reader);
        _readers.OfAddress(Call(agent: "one"), AddressReaders.Strict).ShouldBe(_readers.OfAddress(Call(agent: "other"), AddressReaders.Strict));
        _readers.OfAddress(Call(agent: "one"), AddressReaders.Off).ShouldBeNull();
        Should.NotThrow(() => _readers.OfAddress(Call(agent: new string('界', 5_000)), AddressReaders.Soft));

        _time.Advance(TimeSpan.FromDays(1));
        _readers.OfAddress(Call(agent: "one"), AddressReaders.Soft).ShouldNotBe(reader);
    }

    private static string CookieOf(HttpContext context) => context.Response.Headers.SetCookie.Single()!.Split(';')[0];

    /// <summary>The same by the name without the prefix, which a neighbour's page can set.</summary>
    private static string Planted(HttpContext context) => CookieOf(context).Replace("__Host-", "", StringComparison.Ordinal);

    private static DefaultHttpContext Call(string? origin = Own, string? cookie = null, string? token = null, string address = "192.0.2.1", string? agent = null, string scheme = "https")
    {
        var context = new DefaultHttpContext();
        context.Request.Scheme = scheme;
        context.Request.Host = new HostString("hearts.example");
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);
        if (origin is not null) context.Request.Headers.Origin = origin;
        if (cookie is not null) context.Request.Headers.Cookie = cookie;
        if (token is not null) context.Request.Headers["Heart-Reader"] = token;
        if (agent is not null) context.Request.Headers.UserAgent = agent;
        return context;
    }
}
