//! Components that are small, valid, and take a compiler more than Blender has.

/// A function of loops within loops, which uses each local at the bottom, in a component.
pub fn nested(loops: usize, locals: usize) -> Vec<u8> {
    many(1, loops, locals)
}

/// Many functions like this one.
pub fn many(functions: usize, loops: usize, locals: usize) -> Vec<u8> {
    let body = body(locals, &[3, 0x40].repeat(loops), &[0x0b].repeat(loops));
    component(&vec![body; functions])
}

fn body(locals: usize, open: &[u8], close: &[u8]) -> Vec<u8> {
    let mut code = vec![1];
    code.extend(leb(locals));
    code.push(0x7f);
    code.extend(open);
    for local in 0..locals {
        code.push(0x20);
        code.extend(leb(local));
        code.push(0x1a); // drop
    }
    // The loops are gone round as long as something is zero.
    code.extend([0x20, 0, 0x0d, 0]);
    code.extend(close);
    code.push(0x0b);
    code
}

fn component(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    section(&mut module, 1, &[1, 0x60, 0, 0]);
    let mut kinds = leb(bodies.len());
    kinds.extend(vec![0; bodies.len()]);
    section(&mut module, 3, &kinds);
    let mut code = leb(bodies.len());
    for body in bodies {
        code.extend(leb(body.len()));
        code.extend(body);
    }
    section(&mut module, 10, &code);
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    section(&mut component, 1, &module);
    component
}

fn section(into: &mut Vec<u8>, id: u8, content: &[u8]) {
    into.push(id);
    into.extend(leb(content.len()));
    into.extend(content);
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
