using System.Text;
using System.Text.Json;
using Postern.Testing.Sinks;

namespace Postern.Interop.Tests.Server;

/// <summary>Compares what a sink got with what a client sent.</summary>
internal static class Relayed
{
    /// <summary>
    /// What arrived is the server's fields and below them exactly what was sent. <paramref name="clientFields"/> are fields that a client which is
    /// itself a mail server put on top, before it sent.
    /// </summary>
    public static void AssertSame(byte[] sent, SinkMessage arrived, params string[] clientFields)
    {
        Assert.Equal(PosternServer.Sender, arrived.Sender);
        AssertSame(sent, arrived.Content, clientFields);
    }

    /// <summary>The same for a message that a client script composed from the <see cref="SampleMessage"/>'s parts.</summary>
    /// <param name="answer">The script's, with what it handed over as <c>sent</c>.</param>
    public static void AssertComposed(JsonElement answer, SinkMessage arrived)
    {
        AssertSame(answer.GetProperty("sent").GetBytesFromBase64(), arrived);
        Assert.Contains(SampleMessage.EncodedAttachment, arrived.Text, StringComparison.Ordinal);
        Assert.Contains("\r\nSubject: =?", arrived.Text, StringComparison.Ordinal);
    }

    public static void AssertSame(byte[] sent, byte[] arrived, params string[] clientFields)
    {
        var (expected, actual) = (Encoding.Latin1.GetString(sent), Encoding.Latin1.GetString(arrived));
        Assert.True(actual.Length > expected.Length, $"sent:\n{expected}\narrived:\n{actual}");
        var added = actual.Length - expected.Length;
        Assert.Equal(expected, actual[added..]);
        AssertTrace(actual[..added], clientFields);
    }

    private static void AssertTrace(string added, string[] clientFields)
    {
        var fields = added.Replace("\r\n\t", " ", StringComparison.Ordinal).Replace("\r\n ", " ", StringComparison.Ordinal).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["Authentication-Results", "Received", .. clientFields], fields.Select(static f => f[..f.IndexOf(':')]));
        Assert.Contains("auth=pass", fields[0], StringComparison.Ordinal);
        Assert.Contains($"smtp.auth={PosternServer.User}", fields[0], StringComparison.Ordinal);
        Assert.Contains($"by {PosternServer.Hostname} with ESMTPSA (TLSv1.", fields[1], StringComparison.Ordinal);
    }
}
