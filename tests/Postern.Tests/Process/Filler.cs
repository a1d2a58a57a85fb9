using System.Text;
using Postern.Testing;

namespace Postern.Tests.Process;

/// <summary>Much content, without holding it.</summary>
internal static class Filler
{
    private static readonly byte[] Block = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 76) + "\r\n", 840)));

    /// <summary>Writes about so many octets of whole lines.</summary>
    public static async Task FillAsync(this SmtpDialogue dialogue, long octets)
    {
        for (; octets > 0; octets -= Block.Length)
            await dialogue.WriteAsync(Block.AsMemory(0, octets < Block.Length ? (int)(octets / 78 * 78) : Block.Length));
    }
}
