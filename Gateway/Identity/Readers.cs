using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using HeartGrains.Audit;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Sites;
using HeartGrains.Hearts;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Identity;

/// <summary>
/// Anonymous readers: who calls without a <c>user_id</c> is known by a signed token in a cookie, or in the header <c>Heart-Reader</c> where the browser keeps no
/// cookie for us. What is forged, expired or another site's is replaced, never trusted.
/// </summary>
internal sealed class Readers
{
    /// <summary>Before the id of every reader; nobody may send a <c>user_id</c> that begins so.</summary>
    public const string Prefix = "reader:";

    /// <summary>Before the receipt that stands in the log in place of who is forgotten; nobody may send a <c>user_id</c> that begins so.</summary>
    public const string Tombstone = EventProof.TombstonePrefix;

    /// <summary>The header that carries a token where the browser keeps no cookie for us.</summary>
    public const string Header = "Heart-Reader";

    private const string CookiePurpose = "cookie";
    private const string ElementPurpose = "element of ";
    private const int TableCells = 1 << 16;
    private const int AddressBytes = 1 + ClientAddress.MaxNetworkBytes;

    private readonly SiteList _sites;
    private readonly TimeProvider _time;
    private readonly ReaderMetrics _metrics;
    private readonly ReaderSeal? _seal;
    private readonly AddressLimits _limits;
    private readonly TimeSpan _lifetime;

    public Readers(IOptions<ReaderOptions> options, SiteList sites, ReaderMetrics metrics, TimeProvider time, HeartKeys? keys = null)
    {
        var settings = options.Value;
        (_sites, _metrics, _time, _lifetime) = (sites, metrics, time, settings.Lifetime);
        var secret = settings.Secret is { } text ? Encoding.UTF8.GetBytes(text) : keys?.Derive("readers");
        if (settings.Enabled && secret is not null)
            _seal = new ReaderSeal(secret, settings.PreviousSecret is { } previous ? Encoding.UTF8.GetBytes(previous) : null, settings.Lifetime);
        _limits = new AddressLimits(new BucketTerms(settings.IssueLimit, settings.IssuesPerHour, TimeSpan.FromHours(1), time), TableCells, time);
    }

    /// <summary>Whether a user id is a reader's, whom only a token can name.</summary>
    public static bool IsReader(string userId) => userId.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Whether nobody may be called so: a reader, whom only a token can name, or the tombstone of somebody who is forgotten.</summary>
    public static bool IsReserved(string userId) => IsReader(userId) || IsTombstone(userId);

    /// <summary>Whether a text stands in the log in place of somebody who is forgotten.</summary>
    public static bool IsTombstone(string? userId) => userId?.StartsWith(Tombstone, StringComparison.Ordinal) is true;

    /// <summary>Whether calls without a <c>user_id</c> are readers'.</summary>
    public bool AreEnabled => _seal is not null;

    /// <summary>The user id of the reader whose valid token came with the call, or null.</summary>
    public string? Find(HttpContext context)
    {
        if (_seal is null) return null;
        var site = _sites.SiteOf(context);
        return TryOpenHeader(context, site, out var token) || TryOpenCookie(context, out token, out _) ? UserIdOf(token.Reader) : null;
    }

    /// <summary>The user id of the reader whose token this is, or null: the cookie's, or one that the element of a page keeps.</summary>
    /// <param name="context">The call.</param>
    /// <param name="text">The token.</param>
    /// <param name="origin">The origin of the page, where a server sends its element's token; else the call's own.</param>
    public string? Find(HttpContext context, string text, string? origin)
    {
        if (_seal is null) return null;
        var now = _time.GetUtcNow();
        if (_seal.TryOpen(text, CookiePurpose, now, out var token)) return UserIdOf(token.Reader);
        var site = origin is null ? _sites.SiteOf(context) : _sites.EntryOf(origin);
        return site is not null && _seal.TryOpen(text, ElementPurpose + site, now, out token) ? UserIdOf(token.Reader) : null;
    }

    /// <summary>Takes this reader's cookie away; a cookie of another reader stays.</summary>
    public void Forget(HttpContext context, string reader)
    {
        if (TryOpenCookie(context, out var token, out _) && UserIdOf(token.Reader) == reader) ReaderCookie.Delete(context);
    }

    /// <summary>
    /// The reader who wants to change something; one who is new, or whose token is due, is given a token with the answer. A cookie counts only with the <c>Origin</c> of a
    /// page that may send it.
    /// </summary>
    public Caller FindOrIssue(HttpContext context)
    {
        if (IsForeign(context)) return Caller.OfForeignPage;
        var site = _sites.SiteOf(context)!;
        var isElement = HasHeader(context);
        if (TryOpenHeader(context, site, out var token)) return Renewed(context, token, site, isOld: false);
        if (TryOpenCookie(context, out token, out var isOld)) return Renewed(context, token, null, isOld);
        if (!_limits.TryAcquire(context.Connection.RemoteIpAddress, out var waitTicks)) return Refused(waitTicks);

        token = New();
        if (isElement) SendHeader(context, token, site);
        else SendCookie(context, token);
        return new Caller(UserIdOf(token.Reader), HeartOrigin.Reader);
    }

    /// <summary>A token for the element's own storage: of the reader whose token came in the header, or of a new one.</summary>
    public (string? Token, Caller Refused) IssueToElement(HttpContext context)
    {
        if (IsForeign(context)) return (null, Caller.OfForeignPage);
        var site = _sites.SiteOf(context)!;
        if (TryOpenHeader(context, site, out var token)) return (Seal(token with { IssuedAt = _time.GetUtcNow() }, site), default);
        return _limits.TryAcquire(context.Connection.RemoteIpAddress, out var waitTicks) ? (Seal(New(), site), default) : (null, Refused(waitTicks));
    }

    /// <summary>A reader for today made of the caller's address, cut to /24 or /48, under a key that nobody else has; null when off.</summary>
    public string? OfAddress(HttpContext context, AddressReaders mode)
    {
        if (_seal is null || mode == AddressReaders.Off) return null;
        const int MaxAgentBytes = 512;
        Span<byte> data = stackalloc byte[sizeof(int) + AddressBytes + MaxAgentBytes];
        data.Clear();
        BinaryPrimitives.WriteInt32BigEndian(data, (int)(_time.GetUtcNow().ToUnixTimeSeconds() / (long)TimeSpan.FromDays(1).TotalSeconds));
        var length = sizeof(int) + AddressBytes;
        var network = data[sizeof(int)..length];
        network[0] = (byte)ClientAddress.WriteNetwork(context.Connection.RemoteIpAddress, network[1..]);
        if (mode == AddressReaders.Soft)
        {
            var agent = context.Request.Headers.UserAgent.ToString().AsSpan();
            if (agent.Length > MaxAgentBytes / 3) agent = agent[..(MaxAgentBytes / 3)];
            length += Encoding.UTF8.GetBytes(agent, data[length..]);
        }

        return UserIdOf(_seal.HashOf(data[..length]));
    }

    /// <summary>Of a page that may not change anything; or of none, with a reader's cookie, which a browser also sends where its reader does not want it.</summary>
    public bool IsForeign(HttpContext context) =>
        context.Request.Headers.Origin.Count > 0 ? !_sites.Allows(context) : ReaderCookie.IsThere(context);

    private Caller Renewed(HttpContext context, ReaderToken token, string? site, bool isOld)
    {
        if (isOld || _seal!.IsDue(token, _time.GetUtcNow()))
        {
            var renewed = token with { IssuedAt = _time.GetUtcNow() };
            if (site is not null) SendHeader(context, renewed, site);
            else SendCookie(context, renewed);
            _metrics.CountRenewed();
        }

        return new Caller(UserIdOf(token.Reader), HeartOrigin.Reader);
    }

    private ReaderToken New()
    {
        _metrics.CountIssued();
        Span<byte> reader = stackalloc byte[16];
        RandomNumberGenerator.Fill(reader);
        return new ReaderToken(new Guid(reader), _time.GetUtcNow());
    }

    private Caller Refused(long waitTicks)
    {
        _metrics.CountRefused();
        return Caller.OfCrowd(_time.SecondsOf(waitTicks));
    }

    private bool TryOpenHeader(HttpContext context, string? site, out ReaderToken token)
    {
        token = default;
        return site is not null && HasHeader(context)
            && _seal!.TryOpen(context.Request.Headers[Header].ToString(), ElementPurpose + site, _time.GetUtcNow(), out token);
    }

    /// <summary>Opens the cookie's token; <paramref name="isOld"/> if it came by a name that it should not have here any more.</summary>
    private bool TryOpenCookie(HttpContext context, out ReaderToken token, out bool isOld)
    {
        (token, isOld) = (default, false);
        if (ReaderCookie.Read(context) is { } text && _seal!.TryOpen(text, CookiePurpose, _time.GetUtcNow(), out token)) return true;
        isOld = ReaderCookie.ReadOld(context) is { } old && _seal!.TryOpen(old, CookiePurpose, _time.GetUtcNow(), out token) && token.IssuedAt < ReaderCookie.OldUntil;
        return isOld;
    }

    private static bool HasHeader(HttpContext context) => context.Request.Headers.ContainsKey(Header);

    private string Seal(ReaderToken token, string site) => _seal!.Seal(token, ElementPurpose + site);

    private void SendHeader(HttpContext context, ReaderToken token, string site) =>
        context.Response.Headers[Header] = Seal(token, site);

    private void SendCookie(HttpContext context, ReaderToken token) => ReaderCookie.Write(context, _seal!.Seal(token, CookiePurpose), _lifetime);

    private static string UserIdOf(Guid reader)
    {
        Span<byte> bytes = stackalloc byte[16];
        reader.TryWriteBytes(bytes);
        return Prefix + Base64Url.EncodeToString(bytes);
    }
}
