using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace HeartGrains.Gateway.Identity.Jwt;

/// <summary>The keys that are believed now, and the tokens that they have verified: with the keys those go too.</summary>
internal sealed class JwtKeySet
{
    private const string NoSet = "It is no JSON Web Key Set: {\"keys\":[…]}";
    private readonly JwtKey[] _keys;

    private JwtKeySet(string text, string issuer, JwtKey[] keys, int rememberedTokens)
    {
        (Text, Issuer, _keys) = (text, issuer, keys);
        Remembered = new RememberedTokens(rememberedTokens);
    }

    /// <summary>What it was read from, to see a change.</summary>
    public string Text { get; }

    /// <summary>Who signs with them.</summary>
    public string Issuer { get; }

    /// <summary>The tokens that were verified.</summary>
    public RememberedTokens Remembered { get; }

    public int Count => _keys.Length;

    /// <summary>The keys of a set that is configured: each must be one that can be used.</summary>
    /// <exception cref="FormatException">One is not.</exception>
    public static JwtKeySet OfConfigured(string text, JwtTerms terms)
    {
        var keys = Read(text, terms, static reason => throw new FormatException(reason));
        return keys.Length > 0 ? new(text, terms.Options.Issuer!, keys, terms.Options.RememberedTokens) : throw new FormatException("It holds no key that can be used");
    }

    /// <summary>
    /// The keys of an authority, which may have others for other purposes: those are passed over. Secrets among them are none, since they are public. A set without a key is an answer: all are taken back.
    /// </summary>
    /// <exception cref="FormatException">It is no set of keys.</exception>
    public static JwtKeySet OfAuthority(string text, string issuer, JwtTerms terms, Action<string> skipped) =>
        new(text, issuer, Array.FindAll(Read(text, terms, skipped), static key => key.Algorithm != JwtKey.Hmac), terms.Options.RememberedTokens);

    /// <summary>The key that a token names; without a name the only one of its algorithm. Null when there is none.</summary>
    public JwtKey? Find(string? kid, string algorithm)
    {
        if (kid is not null) return Array.Find(_keys, key => key.Kid == kid);
        JwtKey[] fitting = Array.FindAll(_keys, key => key.Algorithm == algorithm);
        return fitting is [var only] ? only : null;
    }

    private static JwtKey[] Read(string text, JwtTerms terms, Action<string> refused)
    {
        var all = ReadSet(text).Keys;
        var keys = new List<JwtKey>();
        foreach (var (index, web) in all.Index())
        {
            string? refusal = null;
            var name = web.Kid is null ? $"Key {index}" : $"The key '{web.Kid}'";
            try
            {
                var key = JwtKey.Of(web);
                if (!terms.Algorithms.Contains(key.Algorithm, StringComparer.Ordinal)) refusal = $"is for {key.Algorithm}, which is not among the algorithms that are taken";
                else if (keys.Exists(other => other.Kid == key.Kid && (key.Kid is not null || other.Algorithm == key.Algorithm))) refusal = "is there twice";
                else keys.Add(key);
            }
            catch (FormatException exception)
            {
                refusal = exception.Message;
            }

            if (refusal is not null) refused($"{name} {refusal}");
        }

        return [.. keys];
    }

    private static JsonWebKeySet ReadSet(string text)
    {
        try
        {
            // The library takes any object for a set, without keys if it has none: what is no set must not take keys back.
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array) return JsonWebKeySet.Create(text);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)
        {
            throw new FormatException(NoSet, exception);
        }

        throw new FormatException(NoSet);
    }
}
