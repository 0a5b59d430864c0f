using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using HeartGrains.Gateway.Hearts;

namespace HeartGrains.Gateway.Identity.Jwt;

/// <summary>
/// What a token says, read strictly before anything is believed of it (RFC 8725): nothing twice, no key and no address of a key in the header, no extension that is not understood. Its signature is another's matter.
/// </summary>
internal readonly record struct JwtShape(string Algorithm, string? Kid, string UserId, double NotBefore, double Expires)
{
    private const int Parts = 3;
    private const int KidLimit = 256;
    private static readonly JsonDocumentOptions Reading = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    private static readonly SearchValues<char> Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>Members of the header that would bring a key along, or say that the token is something else: each is refused.</summary>
    private static readonly (string Member, string Fault)[] Refused =
    [
        ("jwk", "the header brings a key along (jwk)"),
        ("jku", "the header says where its key is (jku)"),
        ("x5u", "the header says where its key is (x5u)"),
        ("x5c", "the header brings a certificate along (x5c)"),
        ("crit", "the header wants something that is not understood (crit)"),
        ("b64", "the header wants something that is not understood (b64)"),
        ("enc", "the token is encrypted"),
        ("zip", "the token is compressed"),
    ];

    /// <summary>Reads a token; returns what is wrong with it, or null.</summary>
    public static string? Read(ReadOnlySpan<char> token, out JwtShape shape)
    {
        shape = default;
        Span<Range> parts = stackalloc Range[Parts + 1];
        if (token.ContainsAnyExcept(Letters)) return "not a token";
        var count = token.Count('.') + 1;
        if (count == 5) return "the token is encrypted";
        if (count != Parts || token.Split(parts, '.') != Parts) return "not a token";
        if (token[parts[2]].IsEmpty) return "not signed";
        using var header = Decode(token[parts[0]]);
        using var claims = Decode(token[parts[1]]);
        return header is null || claims is null ? "not a token" : Read(header.RootElement, claims.RootElement, out shape);
    }

    private static string? Read(JsonElement header, JsonElement claims, out JwtShape shape)
    {
        shape = default;
        foreach (var (member, fault) in Refused)
            if (header.TryGetProperty(member, out _)) return fault;
        if (!TryReadText(header, "alg", out var algorithm) || algorithm is null) return "no algorithm";
        if (string.Equals(algorithm, "none", StringComparison.OrdinalIgnoreCase)) return "not signed";
        if (!TryReadText(header, "kid", out var kid) || kid?.Length > KidLimit) return "a kid that is no name of a key";
        if (!TryReadText(header, "typ", out var type) || !IsType(type)) return "another kind of token (typ)";
        if (!TryReadNumber(claims, "exp", out var expires) || expires is null) return "no time when it expires (exp)";
        if (!TryReadNumber(claims, "nbf", out var notBefore)) return "a time that is no number (nbf)";
        if (!TryReadText(claims, "sub", out var user) || user is null) return "no user (sub)";
        if (Identifier.Check(Encoding.UTF8.GetBytes(user), Identifier.UserByteLimit, out _) is not null) return "a user that is no user id (sub)";
        if (Readers.IsReserved(user)) return "a user that is an anonymous reader, or forgotten (sub)";
        shape = new JwtShape(algorithm, kid, user, notBefore ?? 0, expires.Value);
        return null;
    }

    private static bool IsType(string? type) =>
        type is null || type.Equals("JWT", StringComparison.OrdinalIgnoreCase) || type.Equals("at+jwt", StringComparison.OrdinalIgnoreCase) || type.Equals("application/at+jwt", StringComparison.OrdinalIgnoreCase);

    private static JsonDocument? Decode(ReadOnlySpan<char> part)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(part.Length)];
        if (Base64Url.DecodeFromChars(part, bytes, out _, out var length) != OperationStatus.Done) return null;
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(bytes.AsMemory(0, length), Reading);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // No JSON, or something is there twice, or a name is half a surrogate pair.
        }

        document?.Dispose();
        return null;
    }

    private static bool TryReadText(JsonElement element, string name, out string? text)
    {
        text = null;
        if (!element.TryGetProperty(name, out var value)) return true;
        if (value.ValueKind != JsonValueKind.String) return false;
        try
        {
            text = value.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair.
            return false;
        }
    }

    private static bool TryReadNumber(JsonElement element, string name, out double? number)
    {
        number = null;
        if (!element.TryGetProperty(name, out var value)) return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var told) || !double.IsFinite(told)) return false;
        number = told;
        return true;
    }
}
