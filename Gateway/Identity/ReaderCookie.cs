using HeartGrains.Gateway.Sites;

namespace HeartGrains.Gateway.Identity;

/// <summary>
/// The cookie that carries a reader's token. On HTTPS its name begins with <c>__Host-</c>: browsers take such a cookie from nobody but this host itself, so no neighbour's page chooses who the reader is.
/// </summary>
internal static class ReaderCookie
{
    /// <summary>Its name on HTTP, and before <see cref="OldUntil"/> on HTTPS too.</summary>
    public const string Name = "heart_reader";

    /// <summary>Its name on HTTPS.</summary>
    public const string SecureName = "__Host-" + Name;

    /// <summary>On HTTPS a token that came by <see cref="Name"/> is believed if it was issued before this: readers from before keep who they are, and the last such token expires by itself.</summary>
    public static readonly DateTimeOffset OldUntil = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Whether the call bears one, whatever it holds.</summary>
    public static bool IsThere(HttpContext context) =>
        context.Request.Headers.Cookie.Count > 0 && (context.Request.Cookies.ContainsKey(Name) || context.Request.Cookies.ContainsKey(SecureName));

    /// <summary>What it holds; null without one.</summary>
    public static string? Read(HttpContext context) => Read(context, NameFor(context));

    /// <summary>What one of the old name holds where that is not the name any more; null without one.</summary>
    public static string? ReadOld(HttpContext context) => context.Request.IsHttps ? Read(context, Name) : null;

    /// <summary>Sends it with the answer.</summary>
    public static void Write(HttpContext context, string token, TimeSpan lifetime) => context.Response.Cookies.Append(NameFor(context), token, OptionsFor(context, lifetime));

    /// <summary>Takes away what the call bears.</summary>
    public static void Delete(HttpContext context)
    {
        foreach (var name in (ReadOnlySpan<string>)[Name, SecureName])
            if (Read(context, name) is not null) context.Response.Cookies.Append(name, "", OptionsFor(context, TimeSpan.Zero));
    }

    private static string NameFor(HttpContext context) => context.Request.IsHttps ? SecureName : Name;

    private static string? Read(HttpContext context, string name) => context.Request.Headers.Cookie.Count > 0 && context.Request.Cookies.TryGetValue(name, out var text) ? text : null;

    private static CookieOptions OptionsFor(HttpContext context, TimeSpan lifetime)
    {
        var isSecure = context.Request.IsHttps;
        var options = new CookieOptions { HttpOnly = true, Path = "/", MaxAge = lifetime, Secure = isSecure, SameSite = SameSiteMode.Lax, IsEssential = true };

        // Of a page of another site the browser takes no Lax cookie; a partitioned one (CHIPS) is that site's alone.
        if (isSecure && SiteList.IsForeign(context) && context.Request.Headers["Sec-Fetch-Site"] != "same-site")
        {
            options.SameSite = SameSiteMode.None;
            options.Extensions.Add("Partitioned");
        }

        return options;
    }
}
