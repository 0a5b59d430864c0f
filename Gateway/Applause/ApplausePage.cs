using HeartGrains.Gateway.Buttons;

namespace HeartGrains.Gateway.Applause;

/// <summary>A page that is applauded: its address without scheme and without anything from <c>?</c> or <c>#</c>, the host in lower case.</summary>
/// <param name="Site">The host, with its port if the address has one.</param>
/// <param name="TargetId"><c>applause:</c> and the address.</param>
internal readonly record struct ApplausePage(string Site, string TargetId)
{
    private const string Parameter = "url=";

    /// <summary>The page that a call is about: the parameter <c>url</c>, which comes as the page wrote it and mostly not encoded, else the page that calls. Null when neither names one.</summary>
    public static ApplausePage? Of(HttpRequest request)
    {
        var query = request.QueryString.Value.AsSpan().TrimStart('?');
        foreach (var part in query.Split('&'))
        {
            var parameter = query[part];
            if (parameter.StartsWith(Parameter, StringComparison.Ordinal)) return Of(parameter[Parameter.Length..].ToString());
        }

        return Of(request.Headers.Referer.ToString());
    }

    /// <summary>The page at an address, percent-encoded or not; null when it names none.</summary>
    public static ApplausePage? Of(string address)
    {
        var rest = Uri.UnescapeDataString(address).AsSpan().Trim();
        var end = rest.IndexOfAny('?', '#');
        if (end >= 0) rest = rest[..end];
        foreach (var scheme in (ReadOnlySpan<string>)["https:", "http:"])
        {
            if (!rest.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) continue;
            rest = rest[scheme.Length..];
            break;
        }

        if (rest.StartsWith("//")) rest = rest[2..];
        var slash = rest.IndexOf('/');
        var site = (slash < 0 ? rest : rest[..slash]).ToString().ToLowerInvariant();
        if (!ButtonCalls.IsSite(site)) return null;

        // A host and its front page are one, however it was written.
        var path = slash < 0 || slash == rest.Length - 1 ? "" : rest[slash..];
        return ButtonTarget.Of("applause", string.Concat(site, path)) is { } target ? new ApplausePage(site, target) : null;
    }
}
