using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Postern.Testing.Mailboxes;

/// <summary>Writes a small database in the MaxMind DB format (version 2.0), of IPv4 networks, for tests.</summary>
public static class MaxMindDatabase
{
    /// <param name="records">What is said of each network: a country's letters, or a number of an autonomous system.</param>
    public static byte[] Write(params (string Network, object Says)[] records)
    {
        var (nodes, data) = (new List<uint[]> { new uint[2] }, new MemoryStream());
        var places = new List<(int Node, int Side, uint At)>();
        foreach (var (network, says) in records)
        {
            var prefix = IPNetwork.Parse(network);
            var bits = BinaryPrimitives.ReadUInt32BigEndian(prefix.BaseAddress.GetAddressBytes());
            var node = 0;
            for (var i = 0; i < prefix.PrefixLength - 1; i++)
            {
                var side = (int)(bits >> (31 - i)) & 1;
                if (nodes[node][side] == 0)
                {
                    nodes.Add(new uint[2]);
                    nodes[node][side] = (uint)(nodes.Count - 1);
                }

                node = (int)nodes[node][side];
            }

            places.Add((node, (int)(bits >> (32 - prefix.PrefixLength)) & 1, (uint)data.Length));
            if (says is string letters)
                data.Write([.. Map(1), .. Text("country"), .. Map(1), .. Text("iso_code"), .. Text(letters)]);
            else
                data.Write([.. Map(1), .. Text("autonomous_system_number"), .. Number(Convert.ToUInt32(says, System.Globalization.CultureInfo.InvariantCulture))]);
        }

        var count = (uint)nodes.Count;
        foreach (var node in nodes)
        {
            for (var side = 0; side < 2; side++)
                node[side] = node[side] == 0 ? count : node[side];
        }

        foreach (var (node, side, at) in places)
            nodes[node][side] = count + 16 + at;
        var tree = new byte[nodes.Count * 8];
        for (var i = 0; i < nodes.Count; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(tree.AsSpan(i * 8), nodes[i][0]);
            BinaryPrimitives.WriteUInt32BigEndian(tree.AsSpan((i * 8) + 4), nodes[i][1]);
        }

        byte[] about =
        [
            .. Map(9),
            .. Text("node_count"), .. Number(count),
            .. Text("record_size"), .. Short(32),
            .. Text("ip_version"), .. Short(4),
            .. Text("database_type"), .. Text("Test"),
            .. Text("languages"), 0x00, 0x04,
            .. Text("binary_format_major_version"), .. Short(2),
            .. Text("binary_format_minor_version"), .. Short(0),
            .. Text("build_epoch"), 0x04, 0x02, .. Number(1_700_000_000)[1..],
            .. Text("description"), .. Map(0),
        ];
        return [.. tree, .. new byte[16], .. data.ToArray(), 0xAB, 0xCD, 0xEF, .. "MaxMind.com"u8, .. about];
    }

    private static byte[] Map(int pairs) => [(byte)(0xE0 | pairs)];

    private static byte[] Text(string text) => [(byte)(0x40 | text.Length), .. Encoding.ASCII.GetBytes(text)];

    private static byte[] Short(ushort number) => [0xA2, (byte)(number >> 8), (byte)number];

    private static byte[] Number(uint number)
    {
        var octets = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, number);
        return [0xC4, .. octets];
    }
}
