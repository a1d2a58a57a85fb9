using System.Reflection;
using System.Reflection.Emit;

namespace Postern.Tests.Architecture;

/// <summary>Every type that a type mentions: in its shape, in its attributes, and in the code of its methods.</summary>
internal static class UsedTypes
{
    private const BindingFlags Own = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
    private const int TwoOctets = 0xFE;

    private static readonly Dictionary<int, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(static field => (OpCode)field.GetValue(obj: null)!)
        .ToDictionary(static code => (int)(ushort)code.Value);

    public static IReadOnlySet<Type> Of(Type type)
    {
        var used = new HashSet<Type>();
        Add(used, type.BaseType);
        AddAll(used, type.GetInterfaces());
        AddAttributes(used, type);
        foreach (var parameter in type.GetGenericArguments())
            AddAll(used, parameter.IsGenericParameter ? parameter.GetGenericParameterConstraints() : []);
        foreach (var member in type.GetMembers(Own))
            AddMember(used, member);
        return used;
    }

    private static void AddMember(HashSet<Type> used, MemberInfo member)
    {
        AddAttributes(used, member);
        switch (member)
        {
            case FieldInfo field:
                Add(used, field.FieldType);
                break;
            case PropertyInfo property:
                Add(used, property.PropertyType);
                break;
            case EventInfo happening:
                Add(used, happening.EventHandlerType);
                break;
            case MethodBase method:
                AddSignature(used, method);
                AddBody(used, method);
                break;
        }
    }

    private static void AddSignature(HashSet<Type> used, MethodBase method)
    {
        foreach (var parameter in method.GetParameters())
        {
            Add(used, parameter.ParameterType);
            AddAll(used, parameter.GetCustomAttributesData().Select(static a => a.AttributeType));
        }

        if (method is MethodInfo info)
            Add(used, info.ReturnType);
        if (method.IsGenericMethodDefinition)
            AddAll(used, method.GetGenericArguments().SelectMany(static p => p.GetGenericParameterConstraints()));
    }

    private static void AddBody(HashSet<Type> used, MethodBase method)
    {
        if (method.GetMethodBody() is not { } body)
            return;
        AddAll(used, body.LocalVariables.Select(static local => local.LocalType));
        AddAll(used, body.ExceptionHandlingClauses.Where(static c => c.Flags == ExceptionHandlingClauseOptions.Clause).Select(static c => c.CatchType));
        var typeArguments = method.DeclaringType is { IsGenericType: true } generic ? generic.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        foreach (var token in Tokens(body.GetILAsByteArray()!))
        {
            switch (method.Module.ResolveMember(token, typeArguments, methodArguments))
            {
                case Type type:
                    Add(used, type);
                    break;
                case FieldInfo field:
                    Add(used, field.DeclaringType);
                    Add(used, field.FieldType);
                    break;
                case MethodBase called:
                    Add(used, called.DeclaringType);
                    AddSignature(used, called);
                    AddAll(used, called.IsGenericMethod ? called.GetGenericArguments() : []);
                    break;
            }
        }
    }

    /// <summary>The tokens of types and members in a method's code (ECMA-335, partition III).</summary>
    private static IEnumerable<int> Tokens(byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            var value = (int)code[at++];
            if (value == TwoOctets)
                value = (value << 8) | code[at++];
            var operand = Codes[value].OperandType;
            if (operand is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
                yield return BitConverter.ToInt32(code, at);
            at += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }

    private static void AddAttributes(HashSet<Type> used, MemberInfo member)
    {
        foreach (var attribute in member.GetCustomAttributesData())
        {
            Add(used, attribute.AttributeType);
            foreach (var argument in attribute.ConstructorArguments.Concat(attribute.NamedArguments.Select(static n => n.TypedValue)))
            {
                Add(used, argument.ArgumentType);
                Add(used, argument.Value as Type);
            }
        }
    }

    private static void AddAll(HashSet<Type> used, IEnumerable<Type?> types)
    {
        foreach (var type in types)
            Add(used, type);
    }

    private static void Add(HashSet<Type> used, Type? type)
    {
        if (type is null)
            return;
        if (type.HasElementType)
        {
            Add(used, type.GetElementType());
            return;
        }

        if (type.IsGenericParameter)
            return;
        if (!used.Add(type.IsConstructedGenericType ? type.GetGenericTypeDefinition() : type))
            return;
        if (type.IsConstructedGenericType)
            AddAll(used, type.GetGenericArguments());
    }
}
