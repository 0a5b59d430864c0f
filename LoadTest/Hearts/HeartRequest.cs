using HeartGrains.LoadTest.Http;

namespace HeartGrains.LoadTest.Hearts;

/// <summary><c>POST /api/v1/hearts</c> made once; each heart only overwrites the digits of its target and user.</summary>
public sealed class HeartRequest
{
    private readonly byte[] _bytes;
    private readonly int _targetAt;
    private readonly int _userAt;

    /// <summary>Makes the request for one gateway.</summary>
    public HeartRequest(Uri url, HeartNames names)
    {
        var body = $$"""{"target_id":"{{names.Target(0)}}","user_id":"{{names.User(0)}}"}""";
        _bytes = HttpPost.Bytes(url, "/api/v1/hearts", body);
        _userAt = _bytes.Length - "\"}".Length - HeartNames.UserDigits;
        _targetAt = _userAt - "\",\"user_id\":\"u".Length - HeartNames.TargetDigits;
    }

    /// <summary>The request of a heart; valid until the next call.</summary>
    public ReadOnlyMemory<byte> For(int target, long user)
    {
        Write(_bytes.AsSpan(_targetAt, HeartNames.TargetDigits), target);
        Write(_bytes.AsSpan(_userAt, HeartNames.UserDigits), user);
        return _bytes;
    }

    private static void Write(Span<byte> digits, long value)
    {
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            var rest = value / 10;
            digits[i] = (byte)('0' + (value - (rest * 10)));
            value = rest;
        }
    }
}
