using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace HeartGrains.Transfer;

/// <summary>Writes lines and counts and hashes them. For one caller at a time.</summary>
internal sealed class ExportWriter(Stream stream) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly BufferedStream _stream = new(stream, 64 * 1024);
    private readonly Utf8JsonWriter _json = new(Stream.Null, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    private long _lines;

    public void Write(ExportLine line)
    {
        _line.ResetWrittenCount();
        _json.Reset(_line);
        JsonSerializer.Serialize(_json, line, ExportJson.Default.ExportLine);
        _line.Write("\n"u8);
        _hash.AppendData(_line.WrittenSpan);
        _stream.Write(_line.WrittenSpan);
        _lines++;
    }

    /// <summary>Writes the last line, without which nothing of it will be believed.</summary>
    public void End()
    {
        Write(new EndLine(_lines, Convert.ToHexStringLower(_hash.GetCurrentHash())));
        _stream.Flush();
    }

    public void Dispose()
    {
        _hash.Dispose();
        _json.Dispose();
    }
}
