using System.Buffers;
using System.Text;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Problems;
using Microsoft.Net.Http.Headers;

namespace HeartGrains.Gateway.Embed;

/// <summary>
/// Names and values in the form of the URL standard (<c>application/x-www-form-urlencoded</c>), of a query string or a body: each known, given once, valid UTF-8 and within bounds.
/// </summary>
internal sealed class FormFields
{
    private const string MediaType = "application/x-www-form-urlencoded";
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <summary>The value, or null when it was not given.</summary>
    public string? this[string name] => _values.GetValueOrDefault(name);

    /// <summary>Reads fields whose names and longest values, in bytes, are given.</summary>
    public static Parsed<FormFields> Parse(ReadOnlySpan<char> text, Problem invalid, params ReadOnlySpan<(string Name, int ByteLimit)> known)
    {
        var fields = new FormFields();
        var kind = invalid == Problem.InvalidQuery ? "parameter" : "field";
        var rejection = new Rejection(invalid, $"See errors for each {kind}.");
        foreach (var range in text.Split('&'))
        {
            var pair = text[range];
            if (pair.IsEmpty) continue;
            var equals = pair.IndexOf('=');
            var name = equals < 0 ? pair : pair[..equals];
            var limit = LimitOf(name, known);
            if (limit == 0)
            {
                rejection.Add(name[..Math.Min(name.Length, 64)].ToString(), $"is not a {kind} of this request");
                continue;
            }

            // A field left empty is one not given.
            if (equals < 0 || equals == pair.Length - 1) continue;
            var wrong = Read(pair[(equals + 1)..], limit, out var value);
            if (wrong is null && !fields._values.TryAdd(name.ToString(), value!)) wrong = "must be given once";
            if (wrong is not null) rejection.Add(name.ToString(), wrong);
        }

        return new(fields, rejection.Errors.Count > 0 ? rejection : null);
    }

    /// <summary>Reads a body of bounded length, or says why not.</summary>
    public static async ValueTask<Parsed<string>> ReadBodyAsync(HttpRequest request, int byteLimit)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase)
            || request.Headers.ContentEncoding.Count > 0)
        {
            return new("", new Rejection(Problem.UnsupportedMediaType, $"Send Content-Type: {MediaType}."));
        }

        return await BoundedBody.ReadAsync(request, byteLimit) is { } body
            ? new(Encoding.Latin1.GetString(body.WrittenSpan), null)
            : new("", new Rejection(Problem.BodyTooLarge, $"The body may be at most {byteLimit} bytes."));
    }

    private static int LimitOf(ReadOnlySpan<char> name, ReadOnlySpan<(string Name, int ByteLimit)> known)
    {
        foreach (var (other, limit) in known)
            if (name.SequenceEqual(other)) return limit;
        return 0;
    }

    private static string? Read(ReadOnlySpan<char> encoded, int byteLimit, out string? value)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(byteLimit);
        try
        {
            value = null;
            var wrong = HeartQuery.Decode(encoded, bytes.AsSpan(0, byteLimit), out var length);
            return wrong is not null ? length < 0 ? $"must be at most {byteLimit} bytes of UTF-8" : wrong
                : Identifier.Check(bytes.AsSpan(0, length), byteLimit, out value);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
